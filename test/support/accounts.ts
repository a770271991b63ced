/** The service accounts of the chart, as the API server knows them: by tokens that it issued. */
import {type AdminAccess, call, post} from './control-plane/admin.ts';
import {release} from './chart.ts';

/** A request as a test writes it: `GET /api/v1/nodes`. */
export interface Asked {
  readonly ask: string;
  /** A PATCH of it is a merge patch. */
  readonly body?: object;
}

/** Of a control plane: what tokens are issued by. */
interface Issuer {
  readonly admin: AdminAccess;
}

/** Who asks. */
export class Account {
  readonly #access: AdminAccess;

  private constructor(access: AdminAccess) {
    this.#access = access;
  }

  /** By a token of its own, for no pod. */
  static async unbound(control: Issuer, name: string): Promise<Account> {
    return new Account({...control.admin, token: await issue(control, name)});
  }

  /** By the token that the kubelet of this node mounts into the account's pod there. */
  static async onNode(control: Issuer, name: string, node: string): Promise<Account> {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {name: `${name}-${node}`, namespace: release},
      spec: {nodeName: node, serviceAccountName: name, containers: [{name: 'c', image: 'i'}]},
    };
    const {body} = await post(control.admin, `/api/v1/namespaces/${release}/pods`, pod);
    const {uid} = (body as {metadata: {uid: string}}).metadata;
    const boundObjectRef = {apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid};
    return new Account({...control.admin, token: await issue(control, name, {boundObjectRef})});
  }

  /** The bearer token. */
  get token(): string {
    return this.#access.token;
  }

  /**
   * Whether the API server does what is asked, without doing it: `yes`, or the status with the text that a person would
   * read. What admission refuses is refused in a dry run too.
   */
  async may({ask, body}: Asked): Promise<string> {
    const [method = '', path = ''] = ask.split(' ');
    const query = method === 'GET' ? '' : `${path.includes('?') ? '&' : '?'}dryRun=All`;
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await call(this.#access, {method, path: path + query, ...(body && {type, body})});
    return answer.status < 300 ? 'yes' : `${answer.status} ${(answer.body as {message?: string}).message}`;
  }
}

const issue = async (control: Issuer, name: string, spec: object = {}): Promise<string> => {
  const path = `/api/v1/namespaces/${release}/serviceaccounts/${name}/token`;
  const {status, body} = await post(control.admin, path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec,
  });
  if (status !== 201) throw new Error(`no token of ${name}: ${JSON.stringify(body)}`);
  return (body as {status: {token: string}}).status.token;
};

/** Who asks this is told who he is. */
export const selfReview = {apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview'};

const tokenRequest = {apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {}};

/** By its rights: admission is not even asked. */
export const no = /^403 .*cannot \w+ resource/;

/** What nobody of ours may ask for, whoever it is: the keys to everything else. */
export const forbiddenToAll: readonly Asked[] = [
  {ask: 'GET /api/v1/secrets'},
  {ask: 'GET /api/v1/namespaces/wherry/secrets'},
  {ask: 'GET /api/v1/namespaces/default/secrets/s'},
  {ask: 'GET /api/v1/configmaps'},
  {ask: 'GET /api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'},
  {ask: 'PATCH /api/v1/namespaces/wherry/configmaps/wherry-config', body: {data: {}}},
  {ask: 'POST /api/v1/namespaces/wherry/serviceaccounts/wherry-operator/token', body: tokenRequest},
  {ask: 'POST /api/v1/namespaces/default/pods/p/exec?command=sh'},
  {ask: 'POST /api/v1/namespaces/default/pods/p/attach'},
  {ask: 'POST /api/v1/namespaces/default/pods/p/portforward'},
  {ask: 'PATCH /api/v1/namespaces/default/pods/p/ephemeralcontainers', body: {}},
  {ask: 'PATCH /api/v1/namespaces/default/pods/p', body: {metadata: {labels: {a: 'b'}}}},
  {ask: 'GET /api/v1/nodes/one/proxy/pods'},
  {ask: 'PATCH /api/v1/nodes/one/status', body: {status: {}}},
  {ask: 'DELETE /api/v1/nodes/one'},
  {ask: 'PATCH /apis/apps/v1/namespaces/wherry/daemonsets/wherry-node-daemon', body: {metadata: {labels: {a: 'b'}}}},
  {ask: 'PATCH /apis/apps/v1/namespaces/wherry/deployments/wherry-operator', body: {metadata: {labels: {a: 'b'}}}},
  {ask: 'GET /apis/rbac.authorization.k8s.io/v1/clusterroles'},
  {ask: 'PATCH /apis/rbac.authorization.k8s.io/v1/clusterroles/wherry-node-daemon', body: {rules: []}},
  {ask: 'PATCH /apis/apiextensions.k8s.io/v1/customresourcedefinitions/virtualmachines.kubevirt.io', body: {}},
  {
    ask: 'DELETE /apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/wherry-node-daemon-guests',
  },
  {ask: 'GET /apis/certificates.k8s.io/v1/certificatesigningrequests'},
];
