// Package kindnetd is a pod network for kind nodes, run on each of them by kind's own manifest. A node gets the CNI
// configuration for its pod range, a route to every other node's range, and a masquerade rule for traffic that leaves
// the pod network. IPv4 only, and no NetworkPolicy.
package kindnetd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// The kubelet calls the node ready once this is there.
const conflistPath = "/etc/cni/net.d/10-kindnet.conflist"

// Serve keeps this node's network as the cluster's nodes say, and returns only where it cannot begin.
func Serve(ctx context.Context) error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	// Straight to the API server where kind names it: the service address needs kube-proxy first.
	if endpoint := os.Getenv("CONTROL_PLANE_ENDPOINT"); endpoint != "" {
		config.Host = "https://" + endpoint
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	if err := masquerade(os.Getenv("POD_SUBNET")); err != nil {
		return err
	}
	for {
		wait := 10 * time.Second
		if err := sync(ctx, client); err != nil {
			fmt.Fprintln(os.Stderr, "kindnetd:", err)
			wait = time.Second
		}
		time.Sleep(wait)
	}
}

// sync is level-triggered: doing it again changes nothing.
func sync(ctx context.Context, client kubernetes.Interface) error {
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var failures []error
	for _, node := range nodes.Items {
		failures = append(failures, syncNode(node, os.Getenv("HOST_IP")))
	}
	return errors.Join(failures...)
}

func syncNode(node corev1.Node, self string) error {
	address := internalIPv4(node)
	_, podRange, err := net.ParseCIDR(node.Spec.PodCIDR)
	if address == "" || err != nil {
		return fmt.Errorf("node %s has no address or pod range yet", node.Name)
	}
	if address != self {
		return netlink.RouteReplace(&netlink.Route{Dst: podRange, Gw: net.ParseIP(address)})
	}
	want := conflist(podRange.String())
	if have, _ := os.ReadFile(conflistPath); bytes.Equal(have, want) {
		return nil
	}
	// By a rename, so that nobody reads half of it.
	if err := os.WriteFile(conflistPath+".new", want, 0o644); err != nil {
		return err
	}
	return os.Rename(conflistPath+".new", conflistPath)
}

func internalIPv4(node corev1.Node) string {
	for _, address := range node.Status.Addresses {
		if address.Type == corev1.NodeInternalIP && net.ParseIP(address.Address).To4() != nil {
			return address.Address
		}
	}
	return ""
}

type object = map[string]any

// conflist is the CNI configuration of a node that has this pod range.
func conflist(podRange string) []byte {
	addresses := object{
		"type": "host-local",
		// Gone with a reboot, as the pods are.
		"dataDir": "/run/cni-ipam-state",
		"routes":  []object{{"dst": "0.0.0.0/0"}},
		"ranges":  [][]object{{{"subnet": podRange}}},
	}
	text, _ := json.Marshal(object{
		"cniVersion": "0.4.0",
		"name":       "kindnet",
		"plugins": []object{
			{"type": "ptp", "ipMasq": false, "mtu": 1500, "ipam": addresses},
			{"type": "portmap", "capabilities": object{"portMappings": true}},
		},
	})
	return text
}

// masquerade gives traffic from pods to elsewhere the node's address, by a table of its own that it replaces whole.
func masquerade(podRange string) error {
	nft := exec.Command("nft", "-f", "-")
	nft.Stdin = strings.NewReader(masqueradeRules(podRange))
	if output, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w: %s", err, output)
	}
	return nil
}

func masqueradeRules(podRange string) string {
	return fmt.Sprintf(`table ip kindnet {}
delete table ip kindnet
table ip kindnet {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr %[1]s ip daddr != %[1]s masquerade
  }
}
`, podRange)
}
