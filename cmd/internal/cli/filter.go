package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/synoptic-ids/synoptic/cmd/internal/app"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/flows/filter"
)

const filterText = `
Usage:
    synoptic filter [-d] EXPRESSION

Explains a filter expression, as it may stand behind synoptic -r FILE: what it
reads in full, what each part means, and what it hides.

    -d    Print the program for a live socket in its place, as tcpdump -d does.
          It passes what the expression fits, and packets that only a decoder
          can tell: they are tested again.

Expressions are those of tcpdump, made of these parts with and, or, not and
parentheses:
    host ADDRESS, net NETWORK, port N, portrange A-B
                          with src, dst, src or dst, src and dst before them;
                          tcp, udp, sctp, ip, ip6 or arp before those
    ip, ip6, arp, tcp, udp, sctp, icmp, icmp6, igmp, esp, ah, gre, proto N
    vlan [N], mpls [N], ether host MAC, ether proto N, broadcast, multicast
    less N, greater N, len > N
    tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn, ip[8] < 10, and the like

They are about the innermost packet, wherever it is: behind VLAN tags, MPLS
labels and tunnels. vlan, mpls, ether, broadcast and lengths are about the frame.

Example:
    $ synoptic filter 'tcp port 80 or 443'
    $ synoptic filter 'src host 192.0.2.1 and tcp[13] = 2'
    $ synoptic filter -d udp
`

// linkEthernet is the LINKTYPE number that -d prints programs for.
const linkEthernet = 1

// wholeFrame is what tcpdump passes on of a frame, in bytes.
const wholeFrame = 262144

func filterCommand(streams app.Streams) *cobra.Command {
	var program bool
	cmd := &cobra.Command{
		Use:   "filter EXPRESSION",
		Short: "explain a filter expression",
		Long:  strings.TrimSpace(filterText),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := config.Filter(strings.Join(args, " "))
			if err != nil {
				return err
			}
			if f == nil {
				return exit.With(exit.Usage, errors.New("an expression is missing"), "write for example: synoptic filter tcp port 80 or 443")
			}
			if program {
				return printProgram(streams, f)
			}
			return explain(streams, f)
		},
	}
	cmd.Flags().BoolVarP(&program, "program", "d", false, "print the program for a live socket")
	return cmd
}

func printProgram(streams app.Streams, f *filter.Filter) error {
	code, err := f.Prefilter(linkEthernet, wholeFrame)
	if err != nil {
		return exit.With(exit.Failed, err)
	}
	text, err := filter.Disassemble(code)
	if err != nil {
		return exit.With(exit.Failed, err)
	}
	_, err = fmt.Fprint(streams.Out, text)
	return err
}

func explain(streams app.Streams, f *filter.Filter) error {
	w := bufio.NewWriter(streams.Out)
	_, _ = fmt.Fprintf(w, "%s\n\n", f)
	parts := f.Parts()
	wide := 0
	for _, p := range parts {
		wide = max(wide, len(p.Text))
	}
	for _, p := range parts {
		_, _ = fmt.Fprintf(w, "  %-*s  %s\n", min(wide, 40), p.Text, p.Meaning)
	}
	_, _ = fmt.Fprint(w, "\nAddresses, protocols and ports are those of the innermost packet: VLAN tags,\n"+
		"MPLS labels and tunnels around it make no difference.\n")
	if f.OfFrame() {
		_, _ = fmt.Fprint(w, "Link addresses, tags, labels and lengths are those of the frame that was captured.\n")
	}
	if f.HidesICMP() {
		_, _ = fmt.Fprint(w, "\nICMP is left out: targets that routers or hosts report as unreachable look\n"+
			"silent. To keep such reports: (EXPRESSION) or icmp or icmp6\n")
	}
	for i, h := range f.Hides() {
		if i == 0 {
			_, _ = fmt.Fprint(w, "\nOnly part of what hosts say to each other is kept, so that outcomes of\n"+
				"attempts and verdicts on scans cannot be trusted:\n")
		}
		_, _ = fmt.Fprintf(w, "  %-*s  %s\n", min(wide, 40), h.Part, h.Why)
	}
	return w.Flush()
}

// takeFilter takes the arguments that belong to no flag for a filter
// expression, as tcpdump does.
func takeFilter(s *config.Settings) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		s.Filter = strings.Join(args, " ")
		_, err := config.Filter(s.Filter)
		if err == nil {
			return nil
		}
		reads := len(s.Inputs) > 0 || len(s.Devices) > 0
		_, missing := os.Stat(args[0])
		switch {
		case missing == nil && reads:
			return exit.With(exit.Usage, fmt.Errorf("%q belongs to no flag", args[0]),
				"give each capture its own -r: -r a.pcap -r b.pcap; or name the directory they are in")
		case missing == nil:
			return exit.With(exit.Usage, fmt.Errorf("%q belongs to no flag", args[0]), "to read a capture: synoptic -r "+args[0])
		case reads:
			return err
		}
		return exit.With(exit.Usage, fmt.Errorf("unknown verb %q", args[0]), "'synoptic --help' lists the verbs")
	}
}
