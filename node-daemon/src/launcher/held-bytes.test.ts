import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {HeldBytes} from './held-bytes.ts';

test('what was put in comes out, whatever is looked at or taken in between', () => {
  const step = fc.oneof(fc.uint8Array({maxLength: 9}), fc.nat(12), fc.constant('look' as const));
  fc.assert(
    fc.property(fc.array(step), steps => {
      const held = new HeldBytes();
      let model = Buffer.alloc(0);
      for (const one of steps) {
        if (one === 'look') expect(held.whole()).toEqual(model);
        else if (typeof one === 'number') {
          expect(held.first(one).subarray(0, one)).toEqual(model.subarray(0, one));
          expect(held.take(one)).toEqual(model.subarray(0, one));
          model = model.subarray(one);
        } else {
          held.push(Buffer.from(one));
          model = Buffer.concat([model, one]);
        }
        expect(held.length).toBe(model.length);
      }
    }),
  );
});

test('what comes byte by byte is held in a few buffers', () => {
  const held = new HeldBytes();
  let most = 0;
  for (let byte = 0; byte < 20_000; byte++) {
    held.push(Buffer.from([byte]));
    most = Math.max(most, held.chunks);
  }
  expect(most).toBeLessThan(20);
  expect(held.whole()).toHaveLength(20_000);
});
