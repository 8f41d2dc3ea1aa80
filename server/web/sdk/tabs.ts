// Several tabs on one storage: the Web Lock says which of them syncs, a BroadcastChannel tells the others.

import type { NeighbourMessage, Neighbours } from './types';

/** Undefined where the browser has no BroadcastChannel: then a page can only be alone. */
export function tabs(name: string): Neighbours | undefined {
  if (typeof BroadcastChannel === 'undefined') return undefined;
  const channel = new BroadcastChannel(name);
  const handlers: ((message: NeighbourMessage) => void)[] = [];
  channel.onmessage = (event: MessageEvent<NeighbourMessage>) => handlers.forEach((handler) => handler(event.data));
  return {
    elect: (lead, lost, take = false) => elect(name, lead, lost, take),
    announce: (message) => channel.postMessage(message),
    onMessage: (handler) => void handlers.push(handler),
    close: () => channel.close(),
  };
}

// Without locks each tab leads when it starts; the storage knows who was last, and the others notice.
function elect(name: string, lead: () => void, lost: () => void, take: boolean): () => void {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks;
  let isOver = false;
  let resign = () => {
    isOver = true;
  };
  if (locks === undefined) {
    setTimeout(() => !isOver && lead(), 0);
    return resign;
  }
  const giveUp = new AbortController();
  const held = new Promise<void>((resolve) => {
    resign = () => {
      isOver = true;
      giveUp.abort();
      resolve();
    };
  });
  // A lock that is taken from its holder cannot be waited for with a signal as well.
  const options: LockOptions = take ? { steal: true } : { signal: giveUp.signal };
  locks.request(name, options, () => {
    if (!isOver) lead();
    return held;
  }).catch(() => {
    if (!isOver) lost();
  });
  return resign;
}
