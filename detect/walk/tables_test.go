package walk

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// step takes the walk from a value through one first contact.
func step(value int, failure bool) int {
	w := Resume(value)
	if failure {
		w.Failure()
	} else {
		w.Success()
	}
	return w.Value()
}

// sequential is Wald's test with two ends, run on the steps of a Walk: it starts
// so high that the floor is the good end. It returns the mean number of first
// contacts and the probability of the bad end, exactly but for rounding.
func sequential(bad, good int, failure float64) (contacts, flagged float64) {
	at := make([]float64, good+bad+1)
	at[good] = 1
	for range 20_000 {
		next := make([]float64, len(at))
		for v, p := range at[:good+bad] {
			if v == 0 || p == 0 {
				continue
			}
			contacts += p
			next[step(v, true)] += p * failure
			next[step(v, false)] += p * (1 - failure)
		}
		flagged += next[good+bad]
		at = next
	}
	return contacts, flagged
}

// wald is the test of the paper by its likelihood ratio, which needs no equal
// steps: the reference that the walk is compared with.
type wald struct{ theta0, theta1, alpha, beta float64 }

// failures is how many failures on end lead to the bad end, successes to the good.
func (w wald) failures() int {
	return int(math.Ceil(math.Log(w.beta/w.alpha)/math.Log((1-w.theta1)/(1-w.theta0)) - 1e-9))
}

func (w wald) successes() int {
	return int(math.Ceil(math.Log((1-w.beta)/(1-w.alpha))/math.Log(w.theta1/w.theta0) - 1e-9))
}

// run goes through all numbers of failures and successes, up to n contacts.
func (w wald) run(failure float64) (contacts, flagged float64) {
	up, down := math.Log((1-w.theta1)/(1-w.theta0)), math.Log(w.theta1/w.theta0)
	bad, good := math.Log(w.beta/w.alpha)-1e-9, math.Log((1-w.beta)/(1-w.alpha))+1e-9
	const n = 1500
	at := []float64{1} // by the number of failures
	for k := range n {
		next := make([]float64, k+2)
		for f, p := range at {
			if p == 0 {
				continue
			}
			contacts += p
			for more, q := range []float64{1 - failure, failure} {
				switch l := float64(f+more)*up + float64(k-f+1-more)*down; {
				case l >= bad:
					flagged += p * q
				case l > good:
					next[f+more] += p * q
				}
			}
		}
		at = next
	}
	return contacts, flagged
}

// digits writes a number as the published tables do: three digits, or for a
// probability near 1 as many as they give.
func digits(v float64, like string) string {
	var decimals int
	for i := range like {
		if like[i] == '.' {
			decimals = len(like) - i - 1
		}
	}
	return fmt.Sprintf("%.*f", decimals, v)
}

type cell struct {
	success           float64 // the source's true rate
	contacts, flagged string
}

// TestSequentialTable: what the walk does with sources of any true success rate,
// at the thresholds that go with the chosen errors. The rows with steps of one
// are run on the Walk itself, and all of them on the likelihood ratio.
func TestSequentialTable(t *testing.T) {
	for _, row := range []struct {
		wald
		failures int
		cells    []cell
	}{
		{wald{.8, .2, .01, .99}, Suspect, []cell{
			{.01, "4.08", "1.000"},
			{.05, "4.44", "0.99999"},
			{.2, "6.61", "0.9961"},
			{.3, "9.35", "0.967"},
			{.5, "16.0", "0.500"},
			{.8, "6.61", "0.0039"},
			{.95, "4.44", "0.00001"},
		}},
		{wald{.8, .2, 1e-5, .99}, Alert, []cell{
			{.01, "9.18", "1.000"},
			{.05, "10.0", "0.99999"},
			{.2, "14.9", "0.9961"},
			{.3, "21.4", "0.966"},
			{.5, "36.0", "0.308"},
			{.8, "6.67", "0.00000"},
			{.95, "4.44", "0.00000"},
		}},
		{wald{.8, .2, 1e-4, .999}, 7, []cell{
			{.01, "7.14", "1.000"},
			{.05, "7.78", "1.000"},
			{.2, "11.6", "0.9990"},
			{.3, "17.1", "0.986"},
			{.5, "35.0", "0.417"},
			{.8, "8.33", "0.00006"},
			{.95, "5.56", "0.00000"},
		}},
		{wald{.7, .1, 5e-5, .99}, 10, []cell{
			{.01, "10.2", "1.000"}, {.05, "11.3", "0.9995"}, {.3, "27.1", "0.658"}, {.5, "12.3", "0.016"}, {.95, "3.17", "0.00"},
		}},
	} {
		t.Run(fmt.Sprint(row.wald), func(t *testing.T) {
			require.Equal(t, row.failures, row.wald.failures())
			for _, c := range row.cells {
				n, p := row.run(1 - c.success)
				require.Equal(t, c.contacts, digits(n, c.contacts), "likelihood ratio, success rate %v", c.success)
				require.Equal(t, c.flagged, digits(p, c.flagged), "likelihood ratio, success rate %v", c.success)
				if row.theta0 != .8 {
					continue
				}
				n2, p2 := sequential(row.failures, row.successes(), 1-c.success)
				require.InDelta(t, n, n2, 1e-6)
				require.InDelta(t, p, p2, 1e-9)
			}
		})
	}
}

// alarms is the mean number of first contacts until the walk reaches a threshold
// from 0: the solution of m(v) = 1 + p·m(v after failure) + q·m(v after success).
func alarms(threshold int, failure float64) float64 {
	// Written as m(v) = a(v) + b(v)·m(v+1), from the floor up.
	a, b := make([]float64, threshold), make([]float64, threshold)
	for v := range threshold {
		if step(v, true) != v+1 || step(v, false) != max(v-1, 0) {
			return math.NaN()
		}
		back := 1 - failure
		if v == 0 {
			a[v], b[v] = 1/failure, 1
			continue
		}
		rest := 1 - back*b[v-1]
		a[v], b[v] = (1+back*a[v-1])/rest, failure/rest
	}
	m := 0.0
	for v := threshold - 1; v >= 0; v-- {
		m = a[v] + b[v]*m
	}
	return m
}

// TestFalseAlarms: first contacts of an ordinary source between two false alarms,
// from the walk's own transitions, and by the closed form.
func TestFalseAlarms(t *testing.T) {
	for _, c := range []struct {
		failure   float64
		threshold int
		want      float64
	}{
		{.2, Suspect, 560},
		{.2, Alert, 582_525},
		{.3, Suspect, 115},
		{.3, Alert, 8943},
		{.4, Suspect, 41},
		{.4, Alert, 517},
	} {
		got := alarms(c.threshold, c.failure)
		require.InDelta(t, c.want, got, 0.51, "failure rate %v, threshold %d", c.failure, c.threshold)
		p, q, h := c.failure, 1-c.failure, float64(c.threshold)
		closed := h/(p-q) + q*(math.Pow(q/p, h)-1)/((p-q)*(p-q))
		require.InEpsilon(t, closed, got, 1e-9)
	}
}
