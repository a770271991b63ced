/** What names an image, and a file in it. */
import {dnsSubdomain, enumeration, string} from '../schema/index.ts';

/** A path inside an image: absolute, and nothing that leads out of it. */
export const imagePath = (description: string) =>
  string(description, {
    minLength: 1,
    maxLength: 1024,
    rules: [
      {
        rule: "self.startsWith('/') && !self.split('/').exists(part, part == '..')",
        message: 'must be an absolute path inside the image, without ".."',
      },
    ],
  });

export const image = (description: string) => string(description, {minLength: 1, maxLength: 1024});

export const imagePullPolicy = enumeration(
  'When the image is fetched. Defaults to Always for the tag latest or none, else to IfNotPresent.',
  ['Always', 'IfNotPresent', 'Never'],
);

export const imagePullSecret = dnsSubdomain(
  'Name of the Secret, in the same namespace, with the credentials of the registry.',
);
