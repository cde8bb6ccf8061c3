# What the three searches of the splunk profile find, from the fields that
# tshark prints of each frame. It shares nothing with the engine, and keeps
# every socket in memory for ever, so that no bound can hide a result.
#
#   tshark -T fields ... | awk -v home=REGEXP -v ports=50 -v hosts=3 -f splunk.awk
#
# prints lines of: rule, source, start of the bin ("run" without bins), value.
# The fields are named below, in their order. An address that home matches is ours.

BEGIN {
    FS = OFS = "\t"
    span = 600   # span=10m
    quiet = 60   # after so long a conversation by UDP begins anew
    await = 30   # so long an answer from elsewhere is waited for
}

# In captures of several days, joined in any order, time runs backwards as well.
function within(when, long) { return t - when <= long && when - t <= long }

# The first datagram of a conversation comes from one who asks, or from one who
# answers under another port than the one that was asked.
function answers(    sock) {
    sock = dst SUBSEP dport
    if ((src, dst, dport) in asked) return 0
    if (((sock, src) in sent) && within(sent[sock, src], await)) return 1
    if ((sock in called) && within(called[sock], await)) return 1
    return looks_like_answer() || heard[src, sport] >= 3
}

function looks_like_answer() {
    return (sport == 53 || sport == 5353 || sport == 5355) && set(dns) ||
        sport == 123 && ntp == 4 || sport == 67 && dhcp == 2 ||
        sport == 161 && snmp == 2 || stun ~ /^0x0*1[01]$/
}

# A socket that three hosts answered, each from another port, is no asker's.
function hear(    i, n) {
    n = heard[dst, dport] + 0
    for (i = 1; i <= n; i++)
        if (host[dst, dport, i] == src || port[dst, dport, i] == sport) return
    host[dst, dport, n + 1] = src
    port[dst, dport, n + 1] = sport
    heard[dst, dport] = n + 1
}

function set(bit) { return bit == "1" || bit == "True" }

# Each conversation counts once. Distinct ports, of TCP and UDP together, and
# distinct hosts are what the searches ask for.
function count(    bin) {
    bin = int(t / span) * span
    if (!((src, bin, dport) in binned)) { binned[src, bin, dport] = 1; inbin[src, bin]++ }
    if (src ~ home) return
    if (!((src, dport) in reached)) { reached[src, dport] = 1; inrun[src]++ }
    if (!((src, dst) in met)) { met[src, dst] = 1; peers[src]++ }
}

# How many IP headers there are in a list of layers.
function headers(layers,    i, n, l, all) {
    all = split(layers, l, ":")
    for (i = 1; i <= all; i++) if (l[i] == "ip" || l[i] == "ipv6") n++
    return n
}

# Only what travels in the frame itself: no tunnels.
!match($2, /:(tcp|udp)(:|$)/) || headers(substr($2, 1, RSTART)) != 1 { next }

{
    t = $1
    src = $5 $7
    dst = $6 $8
    is_tcp = substr($2, RSTART + 1, 3) == "tcp"
    sport = is_tcp ? $9 : $14
    dport = is_tcp ? $10 : $15
    dns = $16; ntp = $17; dhcp = $18; snmp = $19; stun = $20
    group = set($3) || $4 == 1 || $4 == 2 || dst ~ /^(22[4-9]|23[0-9])[.]/ || dst ~ /^ff/ || dst == "255.255.255.255"
}

# Groups and nobody are no sources.
dport == "" { next }
src == "0.0.0.0" || src == "::" || src ~ /^ff/ || src ~ /^(22[4-9]|23[0-9])[.]/ || src == "255.255.255.255" { next }

is_tcp {
    if (!group && set($11) && !set($12) && !set($13) && !((src, sport, dst, dport, $21) in tried)) {
        tried[src, sport, dst, dport, $21] = 1
        count()
    }
    next
}

group {
    called[src, sport] = t
    next
}

{
    pair = src SUBSEP sport SUBSEP dst SUBSEP dport
    back = dst SUBSEP dport SUBSEP src SUBSEP sport
    if ((pair in last) && within(last[pair], quiet)) {
        last[pair] = t
    } else if ((back in last) && within(last[back], quiet)) {
        last[back] = t
        if (!(back in replied) && sport >= 1024) hear()
        replied[back] = 1
    } else if (answers()) {
        last[back] = t
    } else {
        last[pair] = t
        asked[src, dst, dport] = 1
        count()
    }
    sent[src, sport, dst] = t
}

END {
    for (k in inbin) {
        split(k, f, SUBSEP)
        if (inbin[k] > ports) print "ports-by-source", f[1], f[2], inbin[k]
    }
    for (s in inrun) if (inrun[s] > ports) print "external-ports-by-source", s, "run", inrun[s]
    for (s in peers) if (peers[s] > hosts) print "external-hosts-by-source", s, "run", peers[s]
}
