import { render } from 'preact';
import { startLang } from '../ui/i18n';
import '../ui/tokens.css';
import '../ui/base.css';
import '../ui/parts.css';
import './office.css';
import './parts.css';
import './devices.css';
import './accounts.css';
import './paper.css';
import './records.css';
import { Office } from './office';
import { watchPresence } from './presence';
import { replace } from './router';
import { startSession } from './session';

/** The secret of a one-time link, "/office/setup#SECRET". It does not stay in the address bar or the history. */
function takeLink(): string | null {
  const secret = location.pathname.replace(/\/$/, '') === '/office/setup'
    ? location.hash.slice(1)
    : /^#\/setup\/(.+)$/.exec(location.hash)?.[1];
  if (secret === undefined || secret === '') return null;
  history.replaceState(null, '', '/office/');
  return decodeURIComponent(secret);
}

startLang();
watchPresence();
const link = takeLink();
if (location.pathname !== '/office/') replace(`/office/${location.hash}`);
render(<Office link={link} />, document.getElementById('app') as HTMLElement);
void startSession();
