import { render } from 'preact';
import { browserPlatform } from '../sdk/browser';
import { Device } from '../sdk/device';
import { startLang, t } from '../ui/i18n';
import '../ui/tokens.css';
import '../ui/base.css';
import '../ui/parts.css';
import './app.css';
import { App } from './app';
import { useThisDevice } from './device';
import { useThisStorage } from './files';
import { follow } from './live';
import { startPhotos } from './photos';
import { watchTabs } from './tabs';
import { startUpdates } from './update';

const root = document.getElementById('app') as HTMLElement;

function cannotStart(error: unknown): void {
  const detail = error instanceof Error ? error.message : String(error);
  render(
    <main class="empty">
      <h1>{t('start.failed')}</h1>
      <p>{t('start.failed_do')}</p>
      <p class="quiet small">{detail}</p>
    </main>,
    root,
  );
}

async function start(): Promise<void> {
  startLang();
  startUpdates();
  const platform = browserPlatform();
  const device = await Device.open(platform, { app: `companion ${__APP_VERSION__}` });
  addEventListener('online', () => device.hurry());
  addEventListener('offline', () => device.breakOff());
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && device.hurry());
  useThisDevice(device);
  useThisStorage(platform.storage);
  follow();
  startPhotos();
  watchTabs();
  render(<App />, root);
  device.start();
}

start().catch(cannotStart);
