package cli

const usageText = `
Usage:
    synoptic -r FILE [-r FILE]... [--json] [-o FORMAT[:FILE]]... [FLAGS]
             [EXPRESSION]
    synoptic -i NAME [-i NAME]... [FLAGS] [EXPRESSION]
    synoptic explain [ADDRESS] -r FILE... [--all] [--sweep]
    synoptic interfaces
    synoptic filter [-d] EXPRESSION
    synoptic config rules|allow|profiles|schema|check
    synoptic version
    synoptic completion bash|zsh|fish|powershell

Reads captured packets and says who is scanning whom.

Reading:
    -r, --read FILE         Read a capture: pcap or pcapng, plain or compressed
                            with gzip, zstd or lz4. A directory stands for the
                            files in it, in order of time; - is standard input.
                            Can be given more than once.
    --follow                At the end of the last FILE, wait and read on as it
                            grows or is replaced; of a directory, take up the
                            files that appear in it. Ends when interrupted.
    -i, --interface NAME    Capture from an interface until interrupted; any is
                            all of them. Can be given more than once. Needs
                            root or CAP_NET_RAW, and Linux, or a build with
                            libpcap. 'synoptic interfaces' lists what there is.
    --xdp[=native|generic]  Of the interface, have a program in the kernel
                            (XDP) look at all packets and hand over those that
                            tell something new: for networks too fast to
                            capture from. It runs in the driver (native); where
                            that cannot be, in the kernel's network stack
                            (generic); else packets are captured. Which it is,
                            is said. It sees what the interface receives, not
                            what it sends. Needs root, or CAP_BPF, CAP_PERFMON,
                            CAP_NET_ADMIN and CAP_NET_RAW, and Linux 5.9.
    -D, --list-interfaces   List interfaces, the same as 'synoptic interfaces'.
    -p, --no-promiscuous-mode
                            Capture only what is for or from this host.
    -s, --snaplen N         Capture N bytes of a packet, 96 at least; 192
                            without, which is all headers, in most tunnels too.
    --tunnels WHICH         Of packets inside packets (VXLAN, GRE, MPLS, ...),
                            look for scans in the inner ones (the default), the
                            outer ones, or both. What only carries is never
                            taken for a scan of the ends of its tunnel.
    -c, --count N           Stop after N packets, or N that fit EXPRESSION.
    EXPRESSION              Look only at packets that fit, in tcpdump's words,
                            as: host 192.0.2.1 and not port 22. 'synoptic
                            filter EXPRESSION' explains one.
    --strict                Exit with 1 if an input is damaged or cut off.

Deciding:
    --profile NAME          Use built-in rules: default or splunk.
    --rules FILE            Use the rules of a file instead.
    --allow FILE            Who may scan what, and when: 'synoptic config allow'
                            prints an example. Such a scan is recorded and
                            printed, marked as authorized, with risk 0;
                            --fail-on passes it over. With one attempt outside
                            it is reported as usual, with the reason.
    --home LIST             Our own networks, in place of those of the rules, as
                            192.0.2.0/24,2001:db8::/32.

    --memory SIZE           What may be remembered, as 64MiB or 1GiB; 256MiB
                            without, and 4MiB at least. The program itself takes
                            some 20 MiB more, and for each interface that it
                            captures from 32 MiB; with --xdp the kernel's tables
                            are an eighth of it, 16 MiB at least. -v says what
                            is had for it.
    --seed N                Key of the hash functions. Without, it is 0 for
                            captures, so that they give the same output always,
                            and drawn where capturing or following goes on.

Writing:
    --json                  Write one JSON record a line; the same as -o json.
    -o, --output FORMAT[:FILE]
                            Write text (the default), json or attempts (every
                            attempt, as JSON), to FILE or standard output. Can
                            be given more than once.
    -w, --evidence DIR      Keep packets of each scan in a pcapng file in DIR:
                            the first 1,024 probes, refusals, answers, and
                            packets with payload, the first 256 bytes of each,
                            or with -i as many as -s says, up to 2,048. Records
                            name the file.
    --evidence-size SIZE    What the files in DIR may take together, 1GiB
                            without. Beyond, the oldest are removed.
    --min-severity SEVERITY Write only scans that are, or become, at least this
                            severe: info, low, medium, high, critical, or 1 to
                            5. The others are counted, and told of by an hourly
                            digest. Of one output:
                            -o json,min-severity=medium:FILE.
    -q, --quiet             No progress and no closing table.
    -v, --verbose           Say what is used and what each stage did; write
                            every update of a scan.
    --color WHEN            auto, always or never.
    --progress WHEN         auto, always or never.

Watching over it:
    --heartbeat TIME        Where the run would not end by itself, write every
                            so often how it is doing, as 30s or 1h (5m without,
                            0 for never), and what has gone wrong since: that
                            no packets come, or that some were lost.
    --state FILE            With -i, keep what was learned and which scans are
                            open in FILE, and go on from it at the next start.
                            Files that outputs go to are then appended to.
    --state-every TIME      How often it is saved, as 10s or 5m; 1m without.
    --listen PORT           Tell metrics (/metrics, for Prometheus) and health
                            (/healthz, /readyz) by HTTP, to this machine only;
                            to others with an address: --listen 192.0.2.1:9311.
    --pprof                 Profiles of the program itself beside them, below
                            /debug/pprof/.

Judging:
    --fail-on SEVERITY      Exit with 3 if a scan that is not authorized is at
                            least this severe: info, low, medium, high,
                            critical, or 1 to 5.
    --expect FILE           Exit with 4 if the scans are not those of FILE,
                            which holds JSON records as --json writes them, or
                            some fields of them.

Signals: SIGINT and SIGTERM end the run; open scans are closed and told. SIGUSR1
prints what was read and found so far on standard error. Where the run would not
end by itself, SIGHUP reads the rules and the allow-list again, all or nothing,
and opens outputs anew whose files were moved away.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 see --fail-on,
4 see --expect.

Example:
    $ synoptic -r capture.pcap
    $ sudo synoptic -i eth0
    $ synoptic -r capture.pcap 'net 192.0.2.0/24 and not port 22'
    $ tcpdump -i eth0 -w - | synoptic -r -
    $ tcpdump -i eth0 -G 3600 -w 'caps/%s.pcap' & synoptic -r caps --follow
    $ synoptic -r capture.pcap --json > scans.jsonl
    $ synoptic -r capture.pcap --expect scans.jsonl
    $ synoptic explain 192.0.2.30 -r capture.pcap
`

const configText = `
Usage:
    synoptic config rules [--profile NAME]    Print the rules of a profile
    synoptic config allow                     Print an example of an allow-list
    synoptic config profiles                  List the built-in profiles
    synoptic config schema                    Print the JSON Schema of the records
    synoptic config check FILE                Check a rules file or an allow-list

Example:
    $ synoptic config rules --profile default > rules.yaml
    $ synoptic config check rules.yaml
    $ synoptic -r capture.pcap --rules rules.yaml
    $ synoptic config allow > allow.yaml
    $ synoptic -r capture.pcap --allow allow.yaml
`

const allowText = `
Usage:
    synoptic config allow

Prints an example of an allow-list: who may scan what, and when. It is a
commented YAML file to be changed and read with --allow; its key allow can
stand in a file for --rules as well.

Example:
    $ synoptic config allow > allow.yaml
    $ synoptic config check allow.yaml
    $ synoptic -r capture.pcap --allow allow.yaml
`

const rulesText = `
Usage:
    synoptic config rules [--profile NAME]

Prints the rules of a built-in profile, a commented YAML file that can be
changed and read with --rules. Without --profile it is the default one.

Example:
    $ synoptic config rules --profile splunk > rules.yaml
`

const schemaText = `
Usage:
    synoptic config schema

Prints the JSON Schema (draft 2020-12) of the records that --json and
-o attempts write: scan, run and attempt.

Example:
    $ synoptic config schema > synoptic.schema.json
`

const checkText = `
Usage:
    synoptic config check [--memory SIZE] FILE

Checks a rules file or an allow-list. Mistakes are listed with line and column,
and the exit code is 2; so is a rule that does not fit into the memory, which is
256MiB without --memory. What a rule can count exactly only up to some traffic is
said, with that. Entries of an allow-list that have expired are named.

Example:
    $ synoptic config check rules.yaml
`
