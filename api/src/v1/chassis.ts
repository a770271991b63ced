import {type Infer, object, optional, string} from '../schema/index.ts';

/** No control characters: the text goes to the guest as it is. */
const text = (description: string) => string(description, {maxLength: 256, pattern: String.raw`^[^\x00-\x1f\x7f]*$`});

export const chassis = object('What the machine says of its chassis (SMBIOS type 3). Nothing unless it is given.', {
  manufacturer: optional(text('Who made it.')),
  version: optional(text('Its version.')),
  serial: optional(text('Its serial number.')),
  asset: optional(text('Its asset tag.')),
  sku: optional(text('Its number in the shop.')),
});
export type Chassis = Infer<typeof chassis>;
