// Which page is on show.

import { useEffect, useReducer, useState } from 'preact/hooks';
import { currentLang, onLang } from '../ui/i18n';
import { useStatus } from './live';
import { AboutPage } from './pages/about';
import { ClosingPage } from './pages/closing';
import { EndedPage } from './pages/ended';
import { EnrollPage } from './pages/enroll';
import { EventPage } from './pages/event';
import { FiguresPage } from './pages/figures';
import { GiftsPage } from './pages/gifts';
import { HandoverPage } from './pages/handover';
import { HomePage } from './pages/home';
import { ScanPage } from './pages/scan';
import { ShiftPage } from './pages/shift';
import { SitePage } from './pages/site';
import { SyncPage } from './pages/sync';
import { WalkinPage } from './pages/walkin';
import { routeText, useRoute, type Route } from './router';

function pageOf(route: Route) {
  switch (route.page) {
    case 'event': return <EventPage {...route} />;
    case 'site': return <SitePage {...route} />;
    case 'scan': return <ScanPage {...route} />;
    case 'walkin': return <WalkinPage {...route} />;
    case 'closing': return <ClosingPage {...route} />;
    case 'gifts': return <GiftsPage {...route} />;
    case 'figures': return <FiguresPage {...route} />;
    case 'shift': return <ShiftPage {...route} />;
    case 'sync': return <SyncPage />;
    case 'handover': return <HandoverPage />;
    case 'about': return <AboutPage />;
    case 'home':
    case 'enroll': return <HomePage />;
  }
}

/** Once this phone has said goodbye in this session, the page that says so stays. */
export function App() {
  const route = useRoute();
  const { standing } = useStatus();
  const [, redraw] = useReducer((n: number, _: void) => n + 1, 0);
  const [wasHere, setWasHere] = useState(false);
  useEffect(() => onLang(() => redraw()), []);
  useEffect(() => {
    if (standing === 'active' || standing === 'draining') setWasHere(true);
  }, [standing]);
  // A new page is a new place: the focus goes to its heading, for those who hear it.
  const place = routeText(route);
  useEffect(() => {
    if (place !== '#/') document.querySelector<HTMLElement>('.frame-head h1')?.focus({ preventScroll: true });
  }, [place]);
  const key = `${currentLang()} ${place}`;
  if (standing === 'closed' || standing === 'wiping' || standing === 'wiped') return <EndedPage key={key} standing={standing} />;
  if (standing === 'new') return wasHere ? <EndedPage key={key} standing="wiped" /> : <EnrollPage key={key} code={route.page === 'enroll' ? route.code : undefined} />;
  return <div key={key}>{pageOf(route)}</div>;
}
