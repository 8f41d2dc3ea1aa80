// Devices as the pages ask for them and speak of them.

import { ApiError, get, post } from './api';
import { t } from './words';
import type { CodeReply, CodeRequest, DeviceRow, DevicesReply } from './types';

/** One device; throws `http.not_found` where there is none. */
export async function readDevice(id: string, signal?: AbortSignal): Promise<DeviceRow> {
  const { devices } = await get<DevicesReply>('/v1/devices', { q: id, limit: 50 }, signal);
  const row = devices.find(({ device }) => device === id);
  if (row === undefined) throw new ApiError('http.not_found', 404, id);
  return row;
}

export function makeCode(request: CodeRequest): Promise<CodeReply> {
  return post<CodeReply>('/v1/codes', request);
}

/** What a phone scans: the code, and where it is good. */
export function enrollText(reply: CodeReply): string {
  return reply.qr.replace('{server}', encodeURIComponent(location.origin));
}

/** How long a code is good, in seconds. */
export const EXPIRIES = { '1h': 3_600, '1d': 86_400, '7d': 7 * 86_400, '30d': 30 * 86_400 } as const;
export type Expiry = keyof typeof EXPIRIES;

export function stateText({ state, replaced_by, wipe }: DeviceRow): { text: string; tone: 'good' | 'wait' | 'bad' | 'plain' } {
  if (wipe !== null) return wipe.confirmed === null ? { text: t('device.wiping'), tone: 'bad' } : { text: t('device.wiped'), tone: 'plain' };
  if (state === 'closed') return { text: t('device.closed'), tone: 'bad' };
  if (replaced_by !== null) return { text: t('device.replaced'), tone: 'wait' };
  return state === 'draining' ? { text: t('device.draining'), tone: 'wait' } : { text: t('device.active'), tone: 'good' };
}
