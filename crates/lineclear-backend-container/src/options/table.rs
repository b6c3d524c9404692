//! All options of `docker create`, and what each is in the API.

/// What becomes of an option's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// On or off, at this place of the API's object.
    Flag(&'static str),
    /// On or off, and handled apart, or without effect where nobody is attached.
    OwnFlag,
    Text(&'static str),
    Number(&'static str),
    /// A number with a unit: `512m`.
    Bytes(&'static str),
    /// `1m30s`
    Duration(&'static str),
    /// May be given several times.
    List(&'static str),
    /// `key=value`, several times.
    Pairs(&'static str),
    /// A file with lines `key=value`.
    PairsOfFile(&'static str),
    /// `/dev/sda:1mb`, several times; a rate in bytes or in operations.
    Rated {
        place: &'static str,
        what: super::value::Rate,
    },
    /// Handled apart.
    Own,
    /// Takes a value that has no effect here.
    Ignored,
    /// Not possible here, for this reason.
    Refused(&'static str),
}

/// One option.
#[derive(Debug)]
pub(super) struct Option_ {
    pub(super) long: &'static str,
    pub(super) short: Option<char>,
    pub(super) kind: Kind,
}

impl Option_ {
    /// Whether it takes no value of its own.
    pub(super) fn is_flag(&self) -> bool {
        matches!(self.kind, Kind::Flag(_) | Kind::OwnFlag)
    }
}

const fn long(long: &'static str, kind: Kind) -> Option_ {
    Option_ { long, short: None, kind }
}

const fn both(short: char, long: &'static str, kind: Kind) -> Option_ {
    Option_ { long, short: Some(short), kind }
}

use super::value::Rate;
use Kind::{Bytes, Duration, Flag, Ignored, List, Number, Own, OwnFlag, Pairs, PairsOfFile, Rated, Refused, Text};

const JOBS_NETWORK: &str = "containers of a job share one network, on which services are found by their names";

pub(super) const OPTIONS: &[Option_] = &[
    long("add-host", Own),
    long("annotation", Pairs("HostConfig/Annotations")),
    both('a', "attach", Ignored),
    long("blkio-weight", Number("HostConfig/BlkioWeight")),
    long("blkio-weight-device", Own),
    long("cap-add", List("HostConfig/CapAdd")),
    long("cap-drop", List("HostConfig/CapDrop")),
    long("cgroup-parent", Text("HostConfig/CgroupParent")),
    long("cgroupns", Text("HostConfig/CgroupnsMode")),
    long("cidfile", Refused("the id is in `job.container.id` and `job.services.<id>.id`")),
    long("cpu-count", Number("HostConfig/CpuCount")),
    long("cpu-percent", Number("HostConfig/CpuPercent")),
    long("cpu-period", Number("HostConfig/CpuPeriod")),
    long("cpu-quota", Number("HostConfig/CpuQuota")),
    long("cpu-rt-period", Number("HostConfig/CpuRealtimePeriod")),
    long("cpu-rt-runtime", Number("HostConfig/CpuRealtimeRuntime")),
    both('c', "cpu-shares", Number("HostConfig/CpuShares")),
    long("cpus", Own),
    long("cpuset-cpus", Text("HostConfig/CpusetCpus")),
    long("cpuset-mems", Text("HostConfig/CpusetMems")),
    long("device", Own),
    long("device-cgroup-rule", List("HostConfig/DeviceCgroupRules")),
    long("device-read-bps", Rated { place: "HostConfig/BlkioDeviceReadBps", what: Rate::Bytes }),
    long("device-read-iops", Rated { place: "HostConfig/BlkioDeviceReadIOps", what: Rate::Operations }),
    long("device-write-bps", Rated { place: "HostConfig/BlkioDeviceWriteBps", what: Rate::Bytes }),
    long("device-write-iops", Rated { place: "HostConfig/BlkioDeviceWriteIOps", what: Rate::Operations }),
    long("disable-content-trust", OwnFlag),
    long("dns", List("HostConfig/Dns")),
    long("dns-opt", List("HostConfig/DnsOptions")),
    long("dns-option", List("HostConfig/DnsOptions")),
    long("dns-search", List("HostConfig/DnsSearch")),
    long("domainname", Text("Domainname")),
    long("entrypoint", Own),
    both('e', "env", Own),
    long("env-file", Own),
    long("expose", Own),
    long("gpus", Own),
    long("group-add", List("HostConfig/GroupAdd")),
    long("health-cmd", Own),
    long("health-interval", Duration("Healthcheck/Interval")),
    long("health-retries", Number("Healthcheck/Retries")),
    long("health-start-interval", Duration("Healthcheck/StartInterval")),
    long("health-start-period", Duration("Healthcheck/StartPeriod")),
    long("health-timeout", Duration("Healthcheck/Timeout")),
    long("help", Refused("it asks for Docker's own help")),
    both('h', "hostname", Text("Hostname")),
    long("init", Flag("HostConfig/Init")),
    both('i', "interactive", Flag("OpenStdin")),
    long("io-maxbandwidth", Bytes("HostConfig/IOMaximumBandwidth")),
    long("io-maxiops", Number("HostConfig/IOMaximumIOps")),
    long("ip", Own),
    long("ip6", Own),
    long("ipc", Text("HostConfig/IpcMode")),
    long("isolation", Text("HostConfig/Isolation")),
    long("kernel-memory", Bytes("HostConfig/KernelMemory")),
    both('l', "label", Pairs("Labels")),
    long("label-file", PairsOfFile("Labels")),
    long("link", List("HostConfig/Links")),
    long("link-local-ip", Own),
    long("log-driver", Text("HostConfig/LogConfig/Type")),
    long("log-opt", Pairs("HostConfig/LogConfig/Config")),
    long("mac-address", Text("MacAddress")),
    both('m', "memory", Bytes("HostConfig/Memory")),
    long("memory-reservation", Bytes("HostConfig/MemoryReservation")),
    long("memory-swap", Own),
    long("memory-swappiness", Number("HostConfig/MemorySwappiness")),
    long("mount", Own),
    long("name", Own),
    long("net", Refused(JOBS_NETWORK)),
    long("net-alias", Own),
    long("network", Refused(JOBS_NETWORK)),
    long("network-alias", Own),
    long("no-healthcheck", OwnFlag),
    long("oom-kill-disable", Flag("HostConfig/OomKillDisable")),
    long("oom-score-adj", Number("HostConfig/OomScoreAdj")),
    long("pid", Text("HostConfig/PidMode")),
    long("pids-limit", Number("HostConfig/PidsLimit")),
    long("platform", Own),
    long("privileged", Flag("HostConfig/Privileged")),
    both('p', "publish", Own),
    both('P', "publish-all", Flag("HostConfig/PublishAllPorts")),
    long("pull", Own),
    both('q', "quiet", OwnFlag),
    long("read-only", Flag("HostConfig/ReadonlyRootfs")),
    long("restart", Own),
    // It is removed in any case, after its log was told.
    long("rm", OwnFlag),
    long("runtime", Text("HostConfig/Runtime")),
    long("security-opt", Own),
    long("shm-size", Bytes("HostConfig/ShmSize")),
    long("stop-signal", Text("StopSignal")),
    long("stop-timeout", Number("StopTimeout")),
    long("storage-opt", Pairs("HostConfig/StorageOpt")),
    long("sysctl", Pairs("HostConfig/Sysctls")),
    long("tmpfs", Own),
    both('t', "tty", Flag("Tty")),
    long("ulimit", Own),
    long("use-api-socket", Refused("the job's own engine socket is there already, at `/var/run/docker.sock`")),
    both('u', "user", Text("User")),
    long("userns", Text("HostConfig/UsernsMode")),
    long("uts", Text("HostConfig/UTSMode")),
    both('v', "volume", Own),
    long("volume-driver", Text("HostConfig/VolumeDriver")),
    long("volumes-from", List("HostConfig/VolumesFrom")),
    both('w', "workdir", Text("WorkingDir")),
];
