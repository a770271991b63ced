/** What is there of a kind cluster, as far as Docker and the API server tell. */
export interface Observed {
  /** One for each node's container. */
  containers: readonly {name: string; image: string; running: boolean}[];
  /** Names of the nodes that the API server calls ready; undefined when it does not answer. */
  ready: readonly string[] | undefined;
}

export interface Wanted {
  image: string;
  nodes: number;
}

export type Action =
  | {do: 'keep'}
  | {do: 'create'}
  /** Its containers are stopped, after a reboot for example. */
  | {do: 'start'}
  | {do: 'replace'; because: string};

/** What to do so that a cluster as wanted is there. */
export function nextAction({containers, ready}: Observed, {image, nodes}: Wanted): Action {
  if (containers.length === 0) return {do: 'create'};
  if (containers.length !== nodes) {
    return {do: 'replace', because: `it has ${containers.length} of ${nodes} nodes: its creation was interrupted`};
  }
  const other = containers.find(container => container.image !== image);
  if (other) return {do: 'replace', because: `its nodes run ${other.image}, and ${image} is wanted`};
  if (containers.some(container => !container.running)) return {do: 'start'};
  if (!ready) return {do: 'replace', because: 'its API server does not answer'};
  const unready = containers.filter(({name}) => !ready.includes(name)).map(({name}) => name);
  if (unready.length > 0) return {do: 'replace', because: `not ready: ${unready.join(', ')}`};
  return {do: 'keep'};
}
