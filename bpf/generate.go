package bpf

//go:generate go tool bpf2go -cc clang -cflags "-O2 -g -Wall -Werror -mcpu=v2" -target bpfel,bpfeb -tags linux -type packet -type address -type source xdp xdp.c
