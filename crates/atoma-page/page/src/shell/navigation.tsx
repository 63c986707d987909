import { route } from './route';
import { sections } from './pages';

/** The menu: at the side, on a phone at the bottom. */
export function Navigation() {
  const current = `/${route.value.path[0] ?? ''}`;
  return (
    <nav class="menu" aria-label="Sections">
      <ul>
        {sections.map(({ path, name, first, icon }) => (
          <li key={path} class={first ? undefined : 'later'}>
            <a href={`#${path}`} aria-current={current === path ? 'page' : undefined}>
              <svg viewBox="0 0 16 16" aria-hidden="true">
                <path d={icon} />
              </svg>
              <span>{name}</span>
            </a>
          </li>
        ))}
        <li class="more">
          <a href="#/more" aria-current={current === '/more' ? 'page' : undefined}>
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="M3 8h.01M8 8h.01M13 8h.01" />
            </svg>
            <span>More</span>
          </a>
        </li>
      </ul>
    </nav>
  );
}

/** The rest of the menu, for a phone. */
export function More() {
  return (
    <>
      <h1 tabIndex={-1}>More</h1>
      <ul class="more-list">
        {sections
          .filter(({ first }) => !first)
          .map(({ path, name, icon }) => (
            <li key={path}>
              <a href={`#${path}`}>
                <svg viewBox="0 0 16 16" aria-hidden="true">
                  <path d={icon} />
                </svg>
                <span>{name}</span>
              </a>
            </li>
          ))}
      </ul>
    </>
  );
}
