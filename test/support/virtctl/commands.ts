/** A command of virtctl, and what a user of Wherry does. */
export interface Command {
  /** As its help lists it. */
  readonly name: string;
  /** A call to try. Left out where it needs a program of its own, a person, or a running guest. */
  readonly args?: readonly string[];
  readonly instead: string;
}

const patch = (strategy: string): string =>
  `\`kubectl patch vm NAME --type=merge -p '{"spec":{"runStrategy":"${strategy}"}}'\``;
const fromGuest = 'ask in the guest; what its agent tells stands in the status of the instance';
const notYet = 'there is nothing for it yet';
const volumes = 'change the volumes of the machine and start it anew';
const template = 'keep templates of manifests with Kustomize or Helm';

/** Every command, in the order of the help. */
export const commands: readonly Command[] = [
  {name: 'addvolume', args: ['vm', '--volume-name=data'], instead: volumes},
  {name: 'adm', args: ['log-verbosity'], instead: "set the values of the chart, which are the cluster's configuration"},
  {name: 'completion', args: ['bash'], instead: ''},
  {name: 'console', args: ['vm'], instead: '`kubectl attach -it POD`; `kubectl logs POD` shows the boot'},
  {name: 'create', args: ['vm', '--name=vm'], instead: 'see above for its flags'},
  {
    name: 'credentials',
    args: ['add-ssh-key', 'vm', '--user=cloud', '--value=ssh-ed25519 AAAA'],
    instead: 'put keys into the user data of cloud-init',
  },
  {name: 'evacuate-cancel', args: ['vm', 'vm'], instead: '`kubectl uncordon NODE`'},
  {name: 'expand', args: ['--vm=vm'], instead: '`kubectl get vmi NAME -o yaml` shows what a machine runs with'},
  {name: 'expose', args: ['vm', 'vm', '--port=80', '--name=vm'], instead: ''},
  {name: 'fslist', args: ['vm'], instead: fromGuest},
  {name: 'guestfs', args: ['data'], instead: 'mount the claim in a pod of your own while the machine is stopped'},
  {name: 'guestosinfo', args: ['vm'], instead: "`kubectl get vmi NAME -o jsonpath='{.status.guestOSInfo}'`"},
  {
    name: 'image-upload',
    instead: 'install CDI, which is a project of its own, or copy the image to `disk.img` on the claim from a pod',
  },
  {name: 'memory-dump', args: ['get', 'vm', '--claim-name=data'], instead: notYet},
  {name: 'migrate', args: ['vm'], instead: 'stop the machine and start it again: it is scheduled anew'},
  {name: 'migrate-cancel', args: ['vm'], instead: 'nothing migrates'},
  {name: 'objectgraph', args: ['vm'], instead: '`kubectl get vmi,pod -l vm.kubevirt.io/name=NAME`'},
  {name: 'pause', args: ['vm', 'vm'], instead: notYet},
  {name: 'permitted-devices', args: [], instead: 'devices of the node cannot be given to guests'},
  {name: 'port-forward', instead: '`kubectl port-forward POD 8080:80`'},
  {name: 'removevolume', args: ['vm', '--volume-name=data'], instead: volumes},
  {
    name: 'reset',
    args: ['vm'],
    instead: '`kubectl delete pod POD` ends the run; with `runStrategy: Always` the next one follows',
  },
  {
    name: 'restart',
    args: ['vm'],
    instead: '`kubectl delete vmi NAME`; with `runStrategy: Always` the next run follows',
  },
  {name: 'scp', instead: '`kubectl port-forward POD 2222:22` and `scp -P 2222`'},
  {name: 'soft-reboot', args: ['vm'], instead: '`reboot` in the guest'},
  {name: 'ssh', instead: '`kubectl port-forward POD 2222:22` and `ssh -p 2222 USER@localhost`'},
  {name: 'start', args: ['vm'], instead: patch('Always')},
  {name: 'stop', args: ['vm'], instead: patch('Halted')},
  {name: 'template', args: ['process', 'vm'], instead: template},
  {name: 'unpause', args: ['vm', 'vm'], instead: notYet},
  {name: 'usbredir', instead: 'devices cannot be given to guests'},
  {name: 'userlist', args: ['vm'], instead: fromGuest},
  {name: 'version', args: ['--client'], instead: ''},
  {name: 'version', args: [], instead: '`helm list -n wherry`'},
  {
    name: 'vmexport',
    args: ['create', 'export', '--vm=vm'],
    instead: 'mount the claim in a pod and copy its `disk.img` while the machine is stopped',
  },
  {name: 'vnc', args: ['vm'], instead: '`kubectl attach -it POD` for the serial console'},
];
