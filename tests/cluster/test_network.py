"""What NetworkPolicies say. Nothing here enforces them: that takes nodes and a network plugin."""

from ipaddress import ip_address, ip_network

import pytest

pytestmark = pytest.mark.cluster

# Where clouds hand out keys: AWS, GCP and Azure; ECS tasks; EKS pods; Alibaba; Azure's host; AWS by IPv6.
METADATA = (
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
)
RUNS = {"workflows.argoproj.io/workflow": "run-1"}
SERVERS = {"serving.kserve.io/inferenceservice": "flights"}
PLATFORM = {"local": "millrace", "staging": "kubeflow", "production": "kubeflow"}


@pytest.fixture(params=PLATFORM)
def named(request, build):
    """An overlay's name and its policies."""
    found = build(f"overlays/{request.param}")
    return request.param, [one for one in found if one["kind"] == "NetworkPolicy"]


def _selects(selector, labels):
    wanted = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return wanted and all(
        rule["operator"] == "Exists" and rule["key"] in labels
        for rule in selector.get("matchExpressions", ())
    )


def _of(policies, namespace, labels, direction):
    """The policies that hold for a pod in one direction."""
    return [
        one["spec"] for one in policies
        if one["metadata"]["namespace"] == namespace and direction in one["spec"]["policyTypes"]
        and _selects(one["spec"]["podSelector"], labels)
    ]  # fmt: skip


def _peers(policies, namespace, labels, direction):
    """Who a pod may talk to: namespace or addresses, what it selects there, and the ports."""
    side = {"Egress": ("egress", "to"), "Ingress": ("ingress", "from")}[direction]
    found = set()
    for spec in _of(policies, namespace, labels, direction):
        for rule in spec.get(side[0], ()):
            ports = tuple(sorted(each["port"] for each in rule["ports"]))
            for peer in rule[side[1]]:
                where = (
                    peer.get("namespaceSelector", {})
                    .get("matchLabels", {})
                    .get("kubernetes.io/metadata.name")
                )
                pods = tuple(peer.get("podSelector", {}).get("matchLabels", {}).values())
                found.add((where or peer["ipBlock"]["cidr"], pods, ports))
    return found


@pytest.mark.parametrize(("namespace", "labels"), [("millrace", RUNS), ("millrace-serving", SERVERS)])
def test_what_is_not_allowed_is_denied_both_ways(named, namespace, labels):
    for direction in ("Ingress", "Egress"):
        assert any(
            not spec.get("ingress")
            and not spec.get("egress")
            and set(spec["policyTypes"]) == {"Ingress", "Egress"}
            for spec in _of(named[1], namespace, labels, direction)
        )


def test_runs_reach_what_they_need_and_nothing_else(named):
    name, policies = named
    platform = PLATFORM[name]
    store = ("0.0.0.0/0", (), (443,)) if name == "production" else (platform, ("seaweedfs",), (8333,))
    assert _peers(policies, "millrace", RUNS, "Egress") == {
        ("kube-system", ("kube-dns",), (53, 53)), store,
        (platform, ("ml-pipeline",), (8887, 8888)),
        (platform, ("metadata-grpc-server",), (8080,)),
        *((private, (), (443, 6443)) for private in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),
        ("millrace-serving", (), (8080,)),
        *([("monitoring", ("prometheus",), (9090,))] if name == "production" else []),
    }  # fmt: skip
    assert _peers(policies, "millrace", RUNS, "Ingress") == set()


def test_servers_reach_dns_and_their_store_only(named):
    name, policies = named
    store = ("0.0.0.0/0", (), (443,)) if name == "production" else (PLATFORM[name], ("seaweedfs",), (8333,))
    assert _peers(policies, "millrace-serving", SERVERS, "Egress") == {
        ("kube-system", ("kube-dns",), (53, 53)),
        store,
    }


def test_servers_answer_runs_and_gateways_only(named):
    callers = {where for where, _, _ in _peers(named[1], "millrace-serving", SERVERS, "Ingress")}
    gateways = {"local": set(), "staging": {"istio-system"}, "production": {"istio-system", "monitoring"}}
    assert callers == {"millrace", "envoy-gateway-system"} | gateways[named[0]]


def test_no_pod_reaches_where_clouds_hand_out_keys(named):
    for policy in named[1]:
        for rule in policy["spec"].get("egress", ()):
            for block in (peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer):
                for address in METADATA:
                    assert not _contains(block["cidr"], address) or any(
                        _contains(each, address) for each in block.get("except", ())
                    )


def _contains(block, address):
    return ip_address(address) in ip_network(block)
