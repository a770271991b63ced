package kindnetd

import (
	"encoding/json"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestConflistNamesThePodRange(t *testing.T) {
	text := conflist("10.244.1.0/24")
	if !json.Valid(text) || !strings.Contains(string(text), `[[{"subnet":"10.244.1.0/24"}]]`) {
		t.Errorf("not the configuration of that range: %s", text)
	}
}

func TestMasqueradeLeavesTrafficBetweenPodsAlone(t *testing.T) {
	rule := "ip saddr 10.244.0.0/16 ip daddr != 10.244.0.0/16 masquerade"
	if rules := masqueradeRules("10.244.0.0/16"); !strings.Contains(rules, rule) {
		t.Errorf("no %q in %s", rule, rules)
	}
}

func TestNodeAddressIsItsInternalIPv4(t *testing.T) {
	node := corev1.Node{Status: corev1.NodeStatus{Addresses: []corev1.NodeAddress{
		{Type: corev1.NodeHostName, Address: "10.9.9.9"},
		{Type: corev1.NodeInternalIP, Address: "fd00::1"},
		{Type: corev1.NodeInternalIP, Address: "172.18.0.2"},
	}}}
	if address := internalIPv4(node); address != "172.18.0.2" {
		t.Errorf("got %q", address)
	}
}

func TestNodeWithoutPodRangeIsAnError(t *testing.T) {
	if err := syncNode(corev1.Node{}, "172.18.0.2"); err == nil || !strings.Contains(err.Error(), "no address or pod range") {
		t.Errorf("got %v", err)
	}
}
