import {expect, test} from '@jest/globals';
import {boundedContainerd, manifestIn, pauseImage} from './kind-module.ts';

const source = `package nodeimage

const cniImage = "elsewhere/cni:v1"

const defaultCNIManifest = \`
image: \` + cniImage + \`
end
\`
`;

test('reads a manifest out of kind’s source, with our images in it', () => {
  expect(manifestIn(source, 'defaultCNIManifest', {cniImage: 'ours:1'})).toBe('\nimage: ours:1\nend\n');
});

test('says so when kind’s source has no such manifest any more', () => {
  expect(() => manifestIn(source, 'defaultXManifest', {})).toThrow('has no defaultXManifest');
});

test('says so when a manifest names an image that is not made here', () => {
  expect(() => manifestIn(source, 'defaultCNIManifest', {})).toThrow('names an image cniImage');
});

const config = `version = 2

[proxy_plugins]
[proxy_plugins."fuse-overlayfs"]
  type = "snapshot"
  address = "/run/containerd-fuse-overlayfs.sock"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "elsewhere/pause:1"
  # about the next line
  restrict_oom_score_adj = false
`;

test('containerd lowers no OOM score, knows no fuse-overlayfs and takes our pause image', () => {
  expect(boundedContainerd(config)).toBe(`version = 2

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # about the next line
  restrict_oom_score_adj = true
`);
});

test('says so when kind’s configuration has changed its shape', () => {
  expect(() => boundedContainerd('version = 3\n')).toThrow('look at its new version');
});
