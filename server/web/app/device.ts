// The one device of this page. It is opened once, before anything is shown.

import type { Device } from '../sdk/device';

let opened: Device | null = null;

export function useThisDevice(made: Device): void {
  opened = made;
}

export function device(): Device {
  if (opened === null) throw new Error('the device is not open yet');
  return opened;
}
