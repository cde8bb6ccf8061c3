package output

import "strconv"

// MaxSeverity is the highest severity a scan can have; the lowest is 1.
const MaxSeverity = 5

// SeverityName is the word for a severity from 1 to 5.
func SeverityName(n int) string {
	switch n {
	case 1:
		return "info"
	case 2:
		return "low"
	case 3:
		return "medium"
	case 4:
		return "high"
	case MaxSeverity:
		return "critical"
	default:
		return strconv.Itoa(n)
	}
}
