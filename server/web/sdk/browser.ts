// A device in a browser: IndexedDB, fetch, WebSocket, and several tabs of one origin.

import { steadyClock } from './clocks';
import { Device } from './device';
import type { DeviceOptions } from './device';
import { hex } from './ids';
import { IndexedDbStorage } from './indexeddb';
import { tabs } from './tabs';
import type { Platform, Transport } from './types';

export const browserTransport: Transport = {
  async request(method, url, { headers, body, timeoutMs }) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      // Nothing of a session of the office's goes along: a device speaks by its own token.
      const response = await fetch(url, { method, headers, body, signal: late.signal, credentials: 'omit', cache: 'no-store' });
      return { status: response.status, headers: (name) => response.headers.get(name), text: await response.text() };
    } finally {
      clearTimeout(timer);
    }
  },

  connect(url, { onOpen, onMessage, onClose }) {
    const socket = new WebSocket(url);
    let isClosed = false;
    const close = (code: number) => {
      if (isClosed) return;
      isClosed = true;
      onClose(code);
    };
    socket.onopen = onOpen;
    socket.onmessage = (event: MessageEvent<unknown>) => typeof event.data === 'string' && onMessage(event.data);
    socket.onclose = (event) => close(event.code);
    return {
      send: (text) => socket.send(text),
      close: () => {
        socket.close();
        // The closing handshake of a connection that is dead takes a minute.
        close(1006);
      },
    };
  },
};

export function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

export function browserPlatform(name = 'waystation'): Platform {
  return {
    storage: new IndexedDbStorage(name),
    transport: browserTransport,
    clock: steadyClock(Date.now, () => performance.now(), () => hex(randomBytes(8))),
    random: randomBytes,
    neighbours: tabs(name),
  };
}

/** `name`: of the database; several devices on one origin need one each. */
export async function openDevice(options: DeviceOptions & { name?: string } = {}): Promise<Device> {
  const device = await Device.open(browserPlatform(options.name), options);
  globalThis.addEventListener?.('online', () => device.hurry());
  globalThis.addEventListener?.('offline', () => device.breakOff());
  globalThis.document?.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && device.comeForward());
  return device;
}
