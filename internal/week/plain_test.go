//go:build !race

package week_test

const raced = false
