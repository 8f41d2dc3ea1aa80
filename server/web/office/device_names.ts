// What devices are called, for lists that give their ids alone. Read once, and anew after a while.

import { get } from './api';
import { useLoad } from './load';
import type { DevicesReply } from './types';
import { t } from './words';

const AGAIN_MS = 60_000;
export const THE_SERVER = '0000000000';

/** A person's desk is a device too, but none that the office looks after. */
interface Named {
  name: string;
  desk: boolean;
}

export type DeviceNames = ReadonlyMap<string, Named>;

let known: { at: number; names: Promise<DeviceNames> } | null = null;

function readNames(): Promise<DeviceNames> {
  if (known === null || Date.now() - known.at > AGAIN_MS) {
    const names = get<DevicesReply>('/v1/devices', { desks: 1 })
      .then(({ devices }) => new Map(devices.map(({ device, name, desk }) => [device, { name, desk: desk === true }])))
      .catch(() => {
        known = null;
        return new Map<string, Named>();
      });
    known = { at: Date.now(), names };
  }
  return known.names;
}

/** Somebody's first edit has made them a desk. */
export async function sawDesk(device: string): Promise<void> {
  if (known !== null && !(await known.names).has(device)) known = null;
}

const NONE: DeviceNames = new Map();

export function useDeviceNames(): DeviceNames {
  return useLoad('names', readNames).data ?? NONE;
}

export function deviceName(names: DeviceNames, device: string): string {
  if (device === THE_SERVER) return t('history.server');
  return names.get(device)?.name || device;
}
