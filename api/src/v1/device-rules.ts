/** Rules that hold for the devices of a guest together. */
import type {Rule} from '../schema/index.ts';

/** CEL: devices of this list have this boot order. */
const ordered = (list: string, order: string): string =>
  `${list}.exists(other, has(other.bootOrder) && other.bootOrder == ${order})`;

const once = 'each bootOrder may stand at one disk or interface alone: give the others numbers of their own';

const bootOrders: readonly Rule[] = [
  {
    rule:
      '!has(self.disks) || self.disks.all(one, !has(one.bootOrder) || ' +
      'self.disks.exists_one(other, has(other.bootOrder) && other.bootOrder == one.bootOrder))',
    message: once,
    fieldPath: '.disks',
  },
  {
    rule:
      '!has(self.interfaces) || self.interfaces.all(one, !has(one.bootOrder) || one.bootOrder == 0 || ' +
      '(self.interfaces.exists_one(other, has(other.bootOrder) && other.bootOrder == one.bootOrder) && ' +
      `!(has(self.disks) && ${ordered('self.disks', 'one.bootOrder')})))`,
    message: once,
    fieldPath: '.interfaces',
  },
];

/** Ports of the one SATA controller that the machine has. */
const MAX_SATA = 6;

const sataPorts: Rule = {
  rule:
    "!has(self.disks) || self.disks.filter(one, has(one.cdrom) ? one.cdrom.bus == 'sata' : " +
    `(has(one.disk) && one.disk.bus == 'sata')).size() <= ${MAX_SATA}`,
  message: `at most ${MAX_SATA} disks and cdroms may be on sata: put the others on scsi, or disks on virtio`,
  fieldPath: '.disks',
};

export const deviceRules: readonly Rule[] = [...bootOrders, sataPorts];
