export interface NextSteps {
  /** The machine's pod. */
  readonly pod: string;
  readonly kubeconfig: string;
  /** Folder of the pinned kubectl. */
  readonly programs: string;
  readonly manifest: string;
}

/** What the reader may try on the cluster that the demo leaves up. */
export const nextSteps = ({pod, kubeconfig, programs, manifest}: NextSteps): string => `
The cluster stays up. In a new shell:

  export KUBECONFIG=${kubeconfig} PATH=${programs}:$PATH

  kubectl attach -it ${pod}
      the serial console; close the terminal to leave it, the guest does not notice
  kubectl port-forward ${pod} 8080:80
      then open http://localhost:8080/
  kubectl describe vm,vmi debian
      conditions and events
  kubectl patch vm debian --type=merge -p '{"spec":{"runStrategy":"Halted"}}'
      shuts the guest down; Always starts it again
  kubectl delete -f ${manifest}
      removes the machine

  npm run down
      removes the cluster
`;
