"""Which calls a proxy carries: the rules of Go's `httpproxy`, so that a section of `prometheus.yml` means the same."""

from __future__ import annotations

import pytest

from holdfast.kernel.errors import InvalidError
from holdfast.kernel.http import Proxies, proxy_url


@pytest.mark.parametrize(
    ("spared", "host", "is_carried"),
    [
        ("", "shop.example", True),
        ("*", "shop.example", False),
        ("shop.example", "shop.example", False),
        ("shop.example", "api.shop.example", False),
        ("shop.example", "workshop.example", True),
        (".shop.example", "shop.example", True),
        (".shop.example", "api.shop.example", False),
        ("*.shop.example", "shop.example", True),
        ("*.shop.example", "api.shop.example", False),
        ("other, SHOP.example ", "shop.EXAMPLE", False),
        ("shop.example:9090", "shop.example", True),
        ("shop.example:80", "shop.example", False),
        ("10.0.0.0/8", "10.1.2.3", False),
        ("10.0.0.0/8", "11.1.2.3", True),
        ("10.1.2.3", "10.1.2.3", False),
        ("10.1.2.3:9090", "10.1.2.3", True),
        ("[fd00::1]:80", "[fd00::1]", False),
        ("fd00::/16", "fd00::2", False),
        ("nonsense/99", "shop.example", True),
    ],
)
def test_a_host_is_spared_as_no_proxy_names_it(spared, host, is_carried):
    proxies = Proxies("http://proxy:3128", "", spared)
    assert (proxies.url("http", host) is not None) is is_carried


def test_each_scheme_has_its_own_proxy():
    proxies = Proxies("http://plain:3128", "https://secure:3129")
    assert str(proxies.url("http", "a")) == "http://plain:3128"
    assert str(proxies.url("https", "a")) == "https://secure:3129"
    assert Proxies("http://plain:3128").url("https", "a") is None


def test_the_environment_is_read_in_both_letters_and_spares_this_machine():
    proxies = Proxies.of_environment({"http_proxy": "proxy:3128", "HTTPS_PROXY": "http://secure:1", "no_proxy": "b"})
    assert str(proxies.url("http", "a")) == "http://proxy:3128"
    assert str(proxies.url("https", "a")) == "http://secure:1"
    assert [proxies.url("http", host) for host in ("b", "localhost", "127.8.9.1", "[::1]")] == [None] * 4


@pytest.mark.parametrize("text", ["socks5://me:hunter2@proxy:1080", "http://", "http://hunter2:port"])
def test_what_is_no_proxy_is_refused_without_its_password(text):
    with pytest.raises(InvalidError) as caught:
        proxy_url(text)
    assert "hunter2" not in str(caught.value)
