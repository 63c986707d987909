import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { Act } from './act';
import { SinglePage, singles } from './act/single';
import { StackActPage } from './act/stacks';
import { Alarms } from './alarms';
import { Audit } from './audit';
import { Disputes } from './disputes';
import { Duties } from './duties/list';
import { Earnings } from './earnings';
import { runClock } from './live/connection';
import { Nodes } from './nodes/nodes';
import { Tasks } from './nodes/tasks';
import { Overview } from './overview';
import { resume, session } from './session/session';
import { SignIn } from './session/sign_in';
import { Settings } from './settings';
import { applyTheme } from './settings/theme';
import { More, Navigation } from './shell/navigation';
import { followRoute, route, smallId } from './shell/route';
import { Lost, Top } from './shell/top';
import { OneStack } from './stacks/one';
import { Stacks } from './stacks/list';
import { Transactions } from './transactions/list';
import { OneTransaction } from './transactions/one';
import './styles/index.css';

function NotFound() {
  return (
    <>
      <h1 tabIndex={-1}>No such page</h1>
      <p>
        <a href="#/">To the overview</a>
      </p>
    </>
  );
}

function Page() {
  const [section = '', id] = route.value.path;
  switch (section) {
    case '':
      return <Overview />;
    case 'stacks': {
      if (id === undefined) return <Stacks />;
      const stack = smallId(id);
      return stack === undefined ? <NotFound /> : <OneStack key={id} id={stack} />;
    }
    case 'duties':
      return <Duties />;
    case 'transactions':
      return id === undefined ? <Transactions /> : <OneTransaction key={id} id={id} />;
    case 'earnings':
      return <Earnings />;
    case 'act': {
      if (id === undefined) return <Act />;
      if (id === 'settle' || id === 'attest' || id === 'claim') return <StackActPage key={route.value.text} act={id} />;
      const single = singles[id];
      return single ? <SinglePage key={route.value.text} act={single} /> : <NotFound />;
    }
    case 'nodes':
      return <Nodes />;
    case 'tasks':
      return <Tasks />;
    case 'disputes':
      return <Disputes />;
    case 'alarms':
      return <Alarms />;
    case 'audit':
      return <Audit />;
    case 'settings':
      return <Settings />;
    case 'more':
      return <More />;
    default:
      return <NotFound />;
  }
}

/** After a step to another page, the focus is on its heading and its name in the title. */
function useHeading(path: string): void {
  useEffect(() => {
    const heading = document.querySelector<HTMLElement>('main h1');
    document.title = heading?.textContent ? `${heading.textContent.trim()} · Atoma node` : 'Atoma node';
    scrollTo(0, 0);
    if (document.activeElement !== document.body || path !== firstPath) heading?.focus({ preventScroll: true });
  }, [path]);
}
const firstPath = route.peek().path.join('/');

function SignedIn() {
  useHeading(route.value.path.join('/'));
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        Skip to the content
      </a>
      <Top />
      <div class="body">
        <Navigation />
        <main id="main" tabIndex={-1}>
          <Lost />
          <Page />
        </main>
      </div>
    </>
  );
}

function App() {
  const state = session.value;
  switch (state.state) {
    case 'asking':
      return (
        <main class="sign-in">
          <p role="status" class="visually-hidden">
            Asking the daemon…
          </p>
        </main>
      );
    case 'unreachable':
      return (
        <main class="sign-in">
          <h1>The daemon does not answer</h1>
          <button type="button" class="primary" onClick={() => void resume()}>
            Try again
          </button>
        </main>
      );
    case 'signed_out':
      return <SignIn reason={state.reason} />;
    case 'signed_in':
      return <SignedIn />;
  }
}

applyTheme();
runClock();
followRoute();
void resume();
const element = document.getElementById('page');
if (element) render(<App />, element);
