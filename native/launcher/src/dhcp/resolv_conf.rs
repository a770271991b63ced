//! The pod's resolv.conf, as far as a guest can use it.

use std::net::Ipv4Addr;

const MAX_SERVERS: usize = 4;
const MAX_DOMAINS: usize = 32;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvConf {
    pub servers: Vec<Ipv4Addr>,
    pub search: Vec<String>,
}

impl ResolvConf {
    /// Reads resolv.conf(5). Servers on the pod's loopback are nothing to the guest and left out, as are strange names.
    pub fn parse(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => found.servers.extend(words.next().and_then(server)),
                // The last of these lines counts.
                Some("search" | "domain") => {
                    found.search = words.filter_map(domain).take(MAX_DOMAINS).collect()
                }
                _ => {}
            }
        }
        found.servers.truncate(MAX_SERVERS);
        found
    }

    /// Searches first below the pod's subdomain, so that the guest finds its siblings by their bare names: the kubelet puts
    /// that domain into no resolv.conf. The longest service domain is that of the pod's namespace.
    pub fn with_subdomain(mut self, subdomain: Option<&str>) -> Self {
        let services = self.search.iter().filter(|one| one.contains(".svc."));
        // Of equals the first.
        let namespace = services.rev().max_by_key(|one| one.len());
        let below = subdomain
            .zip(namespace)
            .map(|(subdomain, namespace)| format!("{subdomain}.{namespace}"));
        if let Some(found) = below
            .as_deref()
            .and_then(domain)
            .filter(|found| !self.search.contains(found))
        {
            self.search.insert(0, found);
        }
        self
    }

    pub fn server_bytes(&self) -> Vec<u8> {
        self.servers.iter().flat_map(Ipv4Addr::octets).collect()
    }

    /// The search list as option 119 has it (RFC 3397): labels with their lengths, without compression.
    pub fn search_bytes(&self) -> Vec<u8> {
        let label = |label: &str| [&[label.len() as u8], label.as_bytes()].concat();
        self.search
            .iter()
            .flat_map(|domain| {
                domain
                    .split('.')
                    .flat_map(label)
                    .chain([0])
                    .collect::<Vec<u8>>()
            })
            .collect()
    }
}

fn server(word: &str) -> Option<Ipv4Addr> {
    word.parse()
        .ok()
        .filter(|address: &Ipv4Addr| !address.is_loopback() && !address.is_unspecified())
}

fn domain(word: &str) -> Option<String> {
    let name = word.trim_end_matches('.');
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    (name.len() <= 253 && name.split('.').all(is_label)).then(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kubelet_writes_is_read() {
        let found = ResolvConf::parse(
            "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
        );
        assert_eq!(found.servers, [Ipv4Addr::new(10, 96, 0, 10)]);
        assert_eq!(
            found.search,
            [
                "default.svc.cluster.local",
                "svc.cluster.local",
                "cluster.local"
            ]
        );
        assert_eq!(found.server_bytes(), [10, 96, 0, 10]);
    }

    #[test]
    fn the_search_list_is_written_in_labels() {
        let found = ResolvConf::parse("search a.bc d\n");
        assert_eq!(found.search_bytes(), b"\x01a\x02bc\0\x01d\0");
    }

    #[test]
    fn a_subdomain_is_searched_first_below_the_services_of_the_namespace() {
        const KUBELETS: &str = "search team.svc.cluster.local svc.cluster.local cluster.local a-long-domain.of-the-node.example\n";
        let first = |text: &str, subdomain| {
            ResolvConf::parse(text).with_subdomain(subdomain).search[0].clone()
        };
        assert_eq!(first(KUBELETS, Some("web")), "web.team.svc.cluster.local");
        assert_eq!(first(KUBELETS, None), "team.svc.cluster.local");
        assert_eq!(first("search example.org\n", Some("web")), "example.org");
        let once = ResolvConf::parse(KUBELETS).with_subdomain(Some("web"));
        assert_eq!(once.clone().with_subdomain(Some("web")).search.len(), 6);
        assert_eq!(once.search.len(), 5);
    }

    #[test]
    fn what_a_guest_cannot_use_is_left_out() {
        let found = ResolvConf::parse(
            "nameserver 127.0.0.53\nnameserver fd00::1\nnameserver\nnameserver 1.1.1.1\nsearch . a..b -x_ under.a\u{e4}\n; comment\n",
        );
        assert_eq!(found.servers, [Ipv4Addr::new(1, 1, 1, 1)]);
        assert_eq!(found.search, ["-x_"]);
    }

    #[test]
    fn the_last_search_line_counts_and_lists_are_bounded() {
        assert_eq!(
            ResolvConf::parse("domain a\nsearch b c.\n").search,
            ["b", "c"]
        );
        assert_eq!(
            ResolvConf::parse(&"nameserver 1.1.1.1\n".repeat(9))
                .servers
                .len(),
            MAX_SERVERS
        );
        assert_eq!(
            ResolvConf::parse(&format!("search {}", "a ".repeat(99)))
                .search
                .len(),
            MAX_DOMAINS
        );
        assert_eq!(ResolvConf::parse(""), ResolvConf::default());
    }
}
