"""Every field of the create table with values that pass, values that are left out and values that are refused."""

from __future__ import annotations

from typing import Any

from ds01.domain.dockerpolicy.case import Joined

KEPT_CONFIG: list[tuple[str, Any, Any]] = [
    ("Cmd", ["sh", "-c", "a\nb"], ["sh", "-c", "a\nb"]),
    ("Cmd", "sh", ["sh"]),
    ("Entrypoint", ["x"], ["x"]),
    ("Entrypoint", None, None),
    ("Shell", ["/bin/sh"], ["/bin/sh"]),
    ("OnBuild", ["RUN x"], ["RUN x"]),
    ("User", "0:0", "0:0"),
    ("WorkingDir", "/x", "/x"),
    ("Hostname", "box.lab", "box.lab"),
    ("Domainname", "lab", "lab"),
    ("Tty", True, True),
    ("OpenStdin", True, True),
    ("StdinOnce", None, False),
    ("AttachStdin", True, True),
    ("AttachStdout", True, True),
    ("AttachStderr", False, False),
    ("ArgsEscaped", False, False),
    ("NetworkDisabled", True, True),
    ("StopSignal", "SIGINT", "SIGINT"),
    ("StopSignal", "SIGRTMIN+3", "SIGRTMIN+3"),
    ("StopSignal", "SIGUSR1", "SIGUSR1"),
    ("StopTimeout", 20, 20),
    ("StopTimeout", 100000, 300),
    ("StopTimeout", -1, 300),
    ("ExposedPorts", {"80/tcp": {}, "53/udp": {}}, {"80/tcp": {}, "53/udp": {}}),
    ("Healthcheck", {"Test": ["CMD", "x"], "Interval": 1}, {"Test": ["CMD", "x"], "Interval": 5_000_000_000}),
    ("Healthcheck", {"Test": ["CMD", "x"], "StartInterval": 1}, {"Test": ["CMD", "x"], "StartInterval": 5_000_000_000}),
    ("Healthcheck", {"Test": ["NONE"]}, {"Test": ["NONE"]}),
]

KEPT_HOST: list[tuple[str, Any, Any]] = [
    ("GroupAdd", ["2000", "video"], ["2000", "video"]),
    ("AutoRemove", True, True),
    ("Init", True, True),
    ("ReadonlyRootfs", True, True),
    ("ConsoleSize", [24, 80], [24, 80]),
    ("CapAdd", ["CAP_sys_ptrace", "chown"], ["SYS_PTRACE", "CHOWN"]),
    ("CapDrop", ["all", "CAP_NET_RAW"], ["ALL", "NET_RAW"]),
    ("Sysctls", {"net.ipv4.ip_unprivileged_port_start": "0"}, {"net.ipv4.ip_unprivileged_port_start": "0"}),
    ("IpcMode", "shareable", "shareable"),
    ("IpcMode", "private", "private"),
    ("PidMode", "container:other", Joined(prefix="container:", ref="other")),
    ("NetworkMode", "none", "none"),
    ("NetworkMode", "container:other", Joined(prefix="container:", ref="other")),
    ("CpuShares", 5000, 1024),
    ("CpusetCpus", "0-1,3", "0-1,3"),
    ("CpusetMems", "0", "0"),
    ("BlkioWeight", 900, 500),
    ("OomScoreAdj", 0, 500),
    ("Ulimits", [{"Name": "nofile", "Soft": 10, "Hard": 10**9}], [{"Name": "nofile", "Soft": 10, "Hard": 1048576}]),
    ("Ulimits", [{"Name": "nofile", "Soft": -1, "Hard": -1}], [{"Name": "nofile", "Soft": 1048576, "Hard": 1048576}]),
    ("Ulimits", [{"Name": "core", "Soft": -1, "Hard": -1}], [{"Name": "core", "Soft": 0, "Hard": 0}]),
    ("Ulimits", [{"Name": "memlock", "Soft": -1, "Hard": -1}], [{"Name": "memlock", "Soft": -1, "Hard": -1}]),
    ("RestartPolicy", {"Name": "always"}, {"Name": "unless-stopped", "MaximumRetryCount": 0}),
    ("RestartPolicy", {"Name": "on-failure", "MaximumRetryCount": 99}, {"Name": "on-failure", "MaximumRetryCount": 5}),
    ("RestartPolicy", {"Name": "no"}, {"Name": "no", "MaximumRetryCount": 0}),
    ("PortBindings", {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8888"}]},
     {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8888"}]}),
    ("PortBindings", {"80/tcp": [{"HostPort": ""}]}, {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}),
    ("PortBindings", {"80/tcp": [], "81/tcp": None},
     {key: [{"HostIp": "127.0.0.1", "HostPort": ""}] for key in ("80/tcp", "81/tcp")}),
    *(
        ("PortBindings", {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": port}]},
         {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]})
        for port in ("22", "80", "3000", "9100", "40000")
    ),
    ("Dns", ["8.8.8.8"], ["8.8.8.8"]),
    ("DnsOptions", ["ndots:2"], ["ndots:2"]),
    ("DnsSearch", ["lab.lan", "."], ["lab.lan", "."]),
    ("ExtraHosts", ["db:10.0.0.1", "me:host-gateway"], ["db:10.0.0.1", "me:host-gateway"]),
    ("Links", ["db:database"], [Joined(prefix="", ref="db", suffix=":database")]),
    ("VolumesFrom", ["other:ro"], [Joined(prefix="", ref="other", suffix=":ro")]),
    ("LogConfig", {"Type": "local", "Config": {"max-size": "-1"}},
     {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}),
    ("LogConfig", {"Type": "none"}, {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}),
]  # fmt: skip


DROPPED_CONFIG: list[tuple[str, Any]] = [("MacAddress", "02:42:ac:11:00:02")]
DROPPED_HOST: list[tuple[str, Any]] = [
    ("CgroupParent", "/"), ("CgroupParent", "ds01-u1001.slice"), ("CgroupParent", "../system.slice"),
    ("Annotations", {"cdi.k8s.io/x": "nvidia.com/gpu=all"}), ("ContainerIDFile", "/x"), ("StorageOpt", {"size": "1T"}),
    ("SecurityOpt", ["seccomp=unconfined"]), ("SecurityOpt", ["seccomp:unconfined"]),
    ("MemorySwap", -1), ("MemorySwappiness", -1), ("Runtime", "runc"), ("Runtime", ""), ("NetworkMode", "default"),
    ("NetworkMode", "bridge"), ("NetworkMode", "ds01-u1002"), ("PidMode", ""), ("UTSMode", ""), ("UsernsMode", ""),
    ("CgroupnsMode", ""), ("Isolation", ""), ("Privileged", False), ("OomKillDisable", False),
    ("MaskedPaths", None), ("ReadonlyPaths", None), ("Devices", []), ("DeviceRequests", None),
    ("VolumeDriver", "local"),
]  # fmt: skip


REFUSED_CONFIG: list[tuple[str, Any]] = [
    ("Image", ""), ("Hostname", "a b"), ("Hostname", "a\nb"), ("StopSignal", "SIG; rm"), ("Domainname", "-x"),
    ("ExposedPorts", {"80/foo": {}}), ("ExposedPorts", {"99999/tcp": {}}), ("Volumes", {"/proc": {}}),
    ("Volumes", {"relative": {}}), ("Tty", "yes"), ("Cmd", [1]), ("Env", {"A": "1"}), ("Labels", ["a=b"]),
    ("StopTimeout", "1"), ("Healthcheck", {"Nonsense": 1}), ("User", "a\0b"), ("NewField", "x"), ("Env", ["A=\0"]),
]  # fmt: skip

REFUSED_HOST: list[tuple[str, Any, str]] = [
    ("Privileged", True, "create.privileged"),
    ("Privileged", "true", "create.privileged"),
    *(("PidMode", mode, "create.namespaces") for mode in ("host", "HOST", "host ")),
    *(("IpcMode", mode, "create.namespaces") for mode in ("host", "HOST")),
    ("UTSMode", "host", "create.namespaces"),
    ("UsernsMode", "host", "create.namespaces"),
    ("CgroupnsMode", "host", "create.namespaces"),
    ("NetworkMode", "host", "create.network"),
    ("NetworkMode", "a/b", "own.absent"),
    ("Cgroup", "container:x", "create.namespaces"),
    *(
        ("CapAdd", [cap], "create.capabilities")
        for cap in ("sys_admin", "CAP_SYS_ADMIN", "ALL", "all", "DAC_READ_SEARCH", "SYS_MODULE", "BPF", "NET_ADMIN",
                    "MKNOD", "cap_mknod", "NET_RAW", "cap_net_raw", "CHOWN,SYS_ADMIN", "\u017fys_admin", "SYS_ADMIN ")
    ),
    *(
        ("SecurityOpt", [option], "create.security")
        for option in ("seccomp={}", 'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}', "apparmor=unconfined",
                       "apparmor:unconfined", "systempaths=unconfined", "label=disable", "label:type:x",
                       "writable-cgroups=true", "seccomp=unconfined2", "no-new-privileges=maybe", "x")
    ),
    ("MaskedPaths", [], "create.security.paths"),
    ("ReadonlyPaths", [], "create.security.paths"),
    ("MaskedPaths", ["/proc/kcore"], "create.security.paths"),
    *(
        ("Devices", [{"PathOnHost": path, "PathInContainer": path, "CgroupPermissions": "rwm"}], "create.devices")
        for path in ("/dev/sda", "/dev/mem", "/dev/kmsg", "/dev/null", "/dev/tty0", "/dev/loop-control", "/dev/vfio/x",
                     "/dev/dri/card0", "/dev/kfd", "/dev", "/dev/", "/dev/fuse/", "/dev//fuse", "//dev/fuse",
                     "/dev/../dev/nvidia0", "/dev/./nvidia0", "/DEV/nvidia0", "/dev/x/..", "/etc/passwd", "dev/fuse",
                     "/home/ds01/nvidia0", "/dev/fu*e", "/dev/fuse\u00a0", "/dev/fuse:/dev/x", "/dev/char/195:0")
    ),
    *(
        ("Devices", [{"PathOnHost": "/dev/fuse", "PathInContainer": path}], "create.devices")
        for path in ("/fuse", "/dev", "/dev/", "/dev/../fuse", "/dev/fuse/", "dev/fuse", "/dev/null", "/dev/zero",
                     "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/console", "/dev/ptmx", "/dev/pts/0",
                     "/dev/shm/x", "/dev/mqueue/x", "/dev/fd/9", "/dev/stdin", "/dev/nvidia0", "/dev/dri/renderD128")
    ),
    *(
        ("Devices", [{"PathOnHost": "/dev/fuse", "CgroupPermissions": text}], "create.devices")
        for text in ("m", "x", "rwx", "rr", "RW", "r w", "*")
    ),
    ("Devices", [{"PathOnHost": "/dev/fuse"}] * 2, "create.devices"),
    ("Devices", [{"PathOnHost": f"/dev/ttyUSB{number}"} for number in range(17)], "create.devices"),
    ("Devices", [{"PathOnHost": "/dev/fuse", "pathOnHost": "/dev/nvidia0"}], "json.duplicate"),
    ("Devices", [{"Path\u212fnHost": "/dev/fuse"}], "json.key"),
    ("Devices", [{"PathOnHost": "/dev/fuse", "Rules": "a"}], "field.unknown"),
    ("Devices", [{"PathOnHost": "/dev/fu\nse"}], "text.control"),
    ("Devices", [{"PathOnHost": 3}], "json.type"),
    ("Devices", ["/dev/fuse"], "json.type"),
    ("Devices", [None], "create.devices"),
    ("Devices", [{"PathOnHost": "/dev/nvidia3"}], "create.devices.gpu"),
    ("Devices", [{"pathONhost": "nvidia.com/gpu=all"}], "create.devices.gpu"),
    ("Devices", [{"CgroupPermissions": "rwm"}], "create.devices"),
    ("DeviceCgroupRules", ["a *:* rwm"], "create.devices"),
    ("DeviceCgroupRules", ["c 195:* rwm"], "create.devices"),
    ("DeviceRequests", [{"Driver": "amd", "Count": 1}], "create.gpus"),
    ("DeviceRequests", [{"Driver": "", "Count": 1}], "create.gpus"),
    ("DeviceRequests", [{"Driver": "nvidia", "Count": 1, "Options": {"memory": "much"}}], "create.gpus"),
    ("DeviceRequests", [{"Driver": "nvidia", "Count": 1, "Options": {"profile": "2"}}], "create.gpus"),
    ("DeviceRequests", [{"Driver": "nvidia", "Count": 1, "Options": {"profile": "half"}}], "create.gpus"),
    ("DeviceRequests", [{"Driver": "nvidia", "Count": 2, "Options": {"profile": "2g.20gb"}}], "create.gpus"),
    ("DeviceRequests", [{"Driver": "nvidia", "Count": -1, "Options": {"profile": "full"}}], "create.gpus"),
    ("DeviceRequests", [{"Driver": "cdi", "DeviceIDs": ["vendor.com/net=x"]}], "create.gpus"),
    ("DeviceRequests", [{"Driver": "nvidia", "Count": 1}] * 2, "create.gpus"),
    *(("Runtime", name, "create.runtime") for name in ("io.containerd.kata.v2", "kata", "crun", "/usr/bin/x")),
    ("Sysctls", {"kernel.core_pattern": "|/x"}, "create.sysctls"),
    ("Sysctls", {"kernel/core_pattern": "|/x"}, "create.sysctls"),
    ("Sysctls", {"net.core.somaxconn": "1"}, "create.sysctls"),
    ("OomScoreAdj", -1000, "create.oom"),
    ("OomKillDisable", True, "create.oom"),
    *((name, 1, "create.memory") for name in ("KernelMemory", "KernelMemoryTCP", "MemorySwappiness")),
    *((name, 1, "create.cpus") for name in ("CpuRealtimePeriod", "CpuRealtimeRuntime")),
    *(
        (name, 1, "create.windows")
        for name in ("CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth", "DiskQuota")
    ),
    ("Isolation", "hyperv", "create.windows"),
    ("Capabilities", ["SYS_ADMIN"], "create.capabilities"),
    *(
        (name, [{"Path": "/dev/sda", "Rate": 1}], "create.blkio")
        for name in ("BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps",
                     "BlkioDeviceWriteIOps")
    ),
    ("CpusetCpus", "0;1", "create.cpus"),
    ("CpuPeriod", 5, "create.cpus"),
    ("Ulimits", [{"Name": "rtprio", "Soft": 99, "Hard": 99}], "create.ulimits"),
    *(
        ("LogConfig", {"Type": name}, "create.logs")
        for name in ("syslog", "gelf", "fluentd", "splunk", "awslogs", "journald")
    ),
    ("RestartPolicy", {"Name": "sometimes"}, "create.restart"),
    ("VolumeDriver", "nfs", "create.volumes.driver"),
    ("ConsoleSize", [1], "create.console"),
    *(
        ("PortBindings", {"80/tcp": [{"HostPort": port}]}, "create.ports")
        for port in ("8000-8100", "٨٨٨٨", "-1", "08888888", "70000")
    ),
    ("PortBindings", {"80/bla": []}, "create.ports"),
    ("Dns", ["evil.example"], "create.dns"),
    ("DnsOptions", ["a b"], "create.dns"),
    ("DnsSearch", ["a;b"], "create.dns"),
    ("ExtraHosts", ["a b:1.2.3.4"], "create.hosts"),
    ("ExtraHosts", ["pypi.org:evil"], "create.hosts"),
    ("Links", ["a/b"], "own.absent"),
    ("VolumesFrom", ["x:rshared"], "create.volumes-from"),
    ("PublishAllPorts", "yes", "json.type"),
    *(
        ("Binds", [bind], rule)
        for bind, rule in (
            ("/:/h", "create.mounts"), ("/etc:/e", "create.mounts"), ("/etc/passwd:/e", "create.mounts"),
            ("//:/h", "create.mounts"), ("/proc/self/root:/h", "create.mounts"), ("/dev/shm/x:/h", "create.mounts"),
            ("/home/mallory/../alice:/m", "create.mounts"), ("/tmp\n/etc:/h", "text.control"),
            ("/run:/h", "create.mounts"),
            ("/proc/1/root/run/docker.sock:/d", "create.mounts"), ("/run/docker.sock/..:/d", "create.mounts"),
            ("/run/containerd/containerd.sock:/d", "create.mounts"), ("/tmp:/t:rshared", "create.mounts.propagation"),
            ("/tmp:/t:shared", "create.mounts.propagation"), ("/tmp:/t:slave", "create.mounts.propagation"),
            (":rshared", "create.binds"), ("v:/x", "volumes.name"), ("a._.1:/x", "volumes.name"),
            ("/tmp:/t:exec", "create.binds"),
            ("/tmp", "create.binds"), ("/tmp:/a:/b:ro", "create.binds"), ("/tmp:relative", "create.binds"),
            ("/tmp:/", "create.binds"), ("/tmp:/proc/x", "create.binds"), ("/tmp:/a/../proc", "create.binds"),
            ("/dev/null:/var/run/nvidia-container-devices/all", "create.binds"), ("/tmp:/sys", "create.binds"),
            ("/tmp:/dev/x", "create.binds"), ("/tmp:/run/ds01/session", "create.binds"), ("", "create.binds"),
        )
    ),
    *(
        ("Mounts", [{"Target": "/x", **mount}], rule)
        for mount, rule in (
            ({"Type": "bind", "Source": "/"}, "create.mounts"),
            ({"Type": "bind", "Source": "relative"}, "create.mounts"),
            ({"Type": "bind", "Source": "/tmp", "BindOptions": {"Propagation": "rshared"}},
             "create.mounts.propagation"),
            ({"Type": "bind", "Source": "/tmp", "VolumeOptions": {"NoCopy": True}}, "create.mounts"),
            ({"Type": "bind", "Source": "/tmp", "Consistency": "odd"}, "create.mounts"),
            ({"Type": "volume", "Source": "alice/data"}, "volumes.name"),
            ({"Type": "volume", "VolumeOptions": {"DriverConfig": {"Name": "local", "Options": {"o": "bind"}}}},
             "volumes.options"),
            ({"Type": "volume", "VolumeOptions": {"DriverConfig": {"Name": "nfs"}}}, "volumes.driver"),
            ({"Type": "volume", "VolumeOptions": {"Subpath": "x/../.."}}, "create.volumes.subpath"),
            ({"Type": "tmpfs", "Source": "x"}, "create.mounts"),
            ({"Type": "tmpfs", "TmpfsOptions": {"Options": [["suid"]]}}, "create.tmpfs"),
            ({"Type": "image", "Source": "alice/private"}, "create.mounts.type"),
            ({"Type": "npipe"}, "create.mounts.type"),
            ({"Type": "cluster"}, "create.mounts.type"),
            ({"Type": "BIND", "Source": "/"}, "create.mounts.type"),
            ({"Source": "/"}, "create.mounts.type"),
            ({"Type": "bind", "Source": "/tmp", "Extra": 1}, "field.unknown"),
        )
    ),
    ("Tmpfs", {"/x": "suid"}, "create.tmpfs"),
    ("Tmpfs", {"/x": "size=huge"}, "create.tmpfs"),
    ("Tmpfs", {"/proc": ""}, "create.tmpfs"),
    ("NewField", True, "field.unknown"),
]  # fmt: skip
