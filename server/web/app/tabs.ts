// Whether the app is open twice on this phone. Both show one truth; it is said so that nobody wonders.

import { useEffect, useState } from 'preact/hooks';

const CHANNEL = 'waystation.tabs';
let other = false;
const listeners = new Set<() => void>();

function set(value: boolean): void {
  other = value;
  for (const listener of listeners) listener();
}

export function watchTabs(): void {
  if (!('BroadcastChannel' in globalThis)) return;
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => {
    if (data === 'here?') channel.postMessage('here');
    set(data !== 'gone');
    if (data === 'gone') channel.postMessage('here?');
  };
  channel.postMessage('here?');
  addEventListener('pagehide', () => channel.postMessage('gone'));
}

export function useOtherTab(): boolean {
  const [value, setValue] = useState(other);
  useEffect(() => {
    const read = () => setValue(other);
    listeners.add(read);
    read();
    return () => {
      listeners.delete(read);
    };
  }, []);
  return value;
}
