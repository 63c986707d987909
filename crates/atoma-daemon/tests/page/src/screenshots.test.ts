// Takes the screenshots of docs/page.md, after some money has moved.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { advanceEpoch, api, loaded, open, type Size } from './browser.js';

const { PAGE_IMAGES: folder = '' } = process.env;

interface Picture {
  name: string;
  route: string;
  size?: Size;
  theme?: 'light' | 'dark';
  /** A button to press first. */
  press?: string;
}

const pictures: Picture[] = [
  { name: 'overview-light', route: '/' },
  { name: 'overview-dark', route: '/', theme: 'dark' },
  { name: 'overview-phone', route: '/', size: 'phone' },
  { name: 'stacks', route: '/stacks' },
  { name: 'stack', route: '/stacks/20' },
  { name: 'settle-dry-run', route: '/act/settle?stacks=23,24,19', press: 'Dry run' },
  { name: 'duties-phone-dark', route: '/duties', size: 'phone', theme: 'dark' },
  { name: 'earnings-dark', route: '/earnings?by=task', theme: 'dark' },
];

before(async () => {
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await api('/try_settle_stack_ids', { stack_small_ids: [19, 20, 21] });
  await advanceEpoch();
  await api('/claim_funds', { stack_small_ids: [20, 25] });
  await api('/try_settle_stack_ids', { stack_small_ids: [22, 34, 35] });
});

for (const { name, route, size = 'wide', theme = 'light', press } of pictures) {
  test(`screenshot ${name}`, { skip: !folder }, async () => {
    const { page, close } = await open(route, { size, colorScheme: theme });
    await loaded(page);
    if (press) {
      await page.getByRole('button', { name: press }).click();
      await page.getByRole('heading', { level: 2 }).waitFor();
    }
    await page.getByText('Live', { exact: true }).waitFor();
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await close();
  });
}
