//go:build !race

package remedy

const raced = false
