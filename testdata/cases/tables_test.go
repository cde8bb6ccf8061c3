package cases_test

import "slices"

// tables are all tables of cases, by the test that runs them.
func tables() map[string][]hard {
	return map[string][]hard{
		"TestPortsThatTheOtherHasChosen": chosenCases(),
		"TestAskedOnTheLink":             askedCases(),
		"TestCrowds":                     crowdCases(),
		"TestUDPReplies":                 udpCases(),
		"TestMidstream":                  midstreamCases(),
		"TestStalePackets":               staleCases(),
		"TestBackscatter":                backscatterCases(),
		"TestOneWayCaptures":             slices.Concat(oneWayCases(), oneWayScanCases()),
		"TestDuplicatedFrames":           duplicateCases(),
		"TestAsymmetricVLANs":            vlanCases(),
		"TestSkewedClocks":               clockCases(),
		"TestRetries":                    retryCases(),
		"TestFirstDatagramLost":          lostCases(),
		"TestChecks":                     checkCases(),
		"TestFeignedRemains":             feignedCases(),
		"TestPods":                       podCases(),
		"TestBusyHosts":                  busyCases(),
		"TestPeers":                      peerCases(),
		"TestPortsOpenedAsTheyGo":        portCases(),
		"TestPings":                      pingCases(),
		"TestRateLimitedRefusals":        limitCases(),
		"TestTechniques":                 techniqueCases(),
		"TestShapes":                     shapeCases(),
		"TestCaptureEndsWithIt":          endCases(),
		"TestLikeSimpleScan":             likeSimpleScan(),
	}
}
