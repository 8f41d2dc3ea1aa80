// The one device of this page. It is opened once, before anything is shown.

import type { DeviceApi } from '../sdk/api';

let opened: DeviceApi | null = null;

export function useThisDevice(made: DeviceApi): void {
  opened = made;
}

export function device(): DeviceApi {
  if (opened === null) throw new Error('the device is not open yet');
  return opened;
}
