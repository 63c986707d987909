// The page's sections, in the order of the menu.
export interface Section {
  path: string;
  name: string;
  /** On a phone, in the bar at the bottom. */
  first?: boolean;
  icon: string;
}

export const sections: Section[] = [
  { path: '/', name: 'Overview', first: true, icon: 'M2 9l6-6 6 6M4 8v6h8V8' },
  { path: '/stacks', name: 'Stacks', first: true, icon: 'M8 2l6 3-6 3-6-3zM2 8l6 3 6-3M2 11l6 3 6-3' },
  { path: '/duties', name: 'Duties', first: true, icon: 'M8 2a6 6 0 100 12A6 6 0 008 2zM8 5v3l2 2' },
  { path: '/transactions', name: 'Transactions', first: true, icon: 'M2 5h10l-2-2M14 11H4l2 2' },
  { path: '/earnings', name: 'Earnings', icon: 'M2 14h12M4 12V8M8 12V4M12 12V6' },
  { path: '/act', name: 'Act', icon: 'M9 2L4 9h4l-1 5 5-7H8z' },
  { path: '/nodes', name: 'Nodes', icon: 'M3 3h10v4H3zM3 9h10v4H3zM5 5h1M5 11h1' },
  { path: '/tasks', name: 'Tasks', icon: 'M3 3l2 2 3-3M3 9l2 2 3-3M9 5h5M9 11h5' },
  { path: '/disputes', name: 'Disputes', icon: 'M8 2v11M4 13h8M3 5h10M3 5l-1 4h3zM13 5l-1 4h3z' },
  { path: '/alarms', name: 'Alarms', icon: 'M4 11V7a4 4 0 018 0v4l1 1H3zM7 14h2' },
  { path: '/audit', name: 'Audit', icon: 'M4 2h8v12H4zM6 5h4M6 8h4M6 11h2' },
  { path: '/settings', name: 'Settings', icon: 'M2 5h7M13 5h1M2 11h1M7 11h7M11 3v4M5 9v4' },
];
