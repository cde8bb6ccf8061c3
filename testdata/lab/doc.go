// Package lab holds recordings of real scanners and real ordinary traffic,
// and the test that makes them.
//
// TestRecordings replays what is committed under recordings/ and needs
// nothing. TestLive builds sites of its own out of network namespaces, lets
// nmap, masscan, hping3 and zmap loose in them, records each run with tcpdump, and
// holds the same expectations against what was recorded, and that against what
// the ring and XDP saw meanwhile; it needs root on Linux and these tools. The
// namespaces have no name, no link to the host and no route out, and the kernel
// removes them with the process, however that ends. With -record, TestLive renews the committed recordings.
package lab
