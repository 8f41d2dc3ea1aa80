// What devices are called, for lists that give their ids alone. Read once, and anew after a while.

import { get } from './api';
import { useLoad } from './load';
import type { DevicesReply } from './types';
import { t } from './words';

const AGAIN_MS = 60_000;
const THE_SERVER = '0000000000';

let known: { at: number; names: Promise<ReadonlyMap<string, string>> } | null = null;

function readNames(): Promise<ReadonlyMap<string, string>> {
  if (known === null || Date.now() - known.at > AGAIN_MS) {
    const names = get<DevicesReply>('/v1/devices', { desks: 1 })
      .then(({ devices }) => new Map(devices.map(({ device, name }) => [device, name])))
      .catch(() => {
        known = null;
        return new Map<string, string>();
      });
    known = { at: Date.now(), names };
  }
  return known.names;
}

const NONE: ReadonlyMap<string, string> = new Map();

export function useDeviceNames(): ReadonlyMap<string, string> {
  return useLoad('names', readNames).data ?? NONE;
}

export function deviceName(names: ReadonlyMap<string, string>, device: string): string {
  if (device === THE_SERVER) return t('history.server');
  return names.get(device) || device;
}
