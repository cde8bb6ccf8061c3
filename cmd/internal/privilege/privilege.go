// Package privilege gives up what a run does not need once its inputs and outputs are open:
// capabilities, the way to new ones, and all files but those of its own folders. What then
// parses the bytes of strangers can do little if they take it over.
package privilege

// Config says what is kept.
type Config struct {
	// Read and Write are the folders, and everything below them, that may be read from, and
	// that may be read and written. Those that do not exist are passed over.
	Read, Write []string
	// Capture keeps the capability to open packet sockets (CAP_NET_RAW), if the process
	// has it: an interface that comes back must be opened anew.
	Capture bool
	// Count keeps the capability to ask a program in the kernel for what it has counted
	// (CAP_BPF), which Linux before 5.19 asks for.
	Count bool
}

// Kept says what became of it.
type Kept struct {
	// Files says how files are kept from the process, as "landlock 5"; empty: they are not, for
	// the system cannot.
	Files string
	// Capabilities are those that are left, as "cap_net_raw"; empty: none.
	Capabilities string
}
