// lwIP's options for the build from source: Debian's, and what differs from them.
//
// Law: what is asked of the core lock stays as Debian has it (NO_SYS 0, core locking, assertions), so that both libraries ask the same
// questions at the same places.
#pragma once
#include_next <lwipopts.h>

// What the packaged library lacks.
#define LWIP_DNS 1
#define LWIP_DHCP 1
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_TCP_TIMESTAMPS 1
#define LWIP_TCP_SACK_OUT 1
#define TCP_LISTEN_BACKLOG 1
#undef LWIP_STATS
#define LWIP_STATS 1
// Its socket layer wants BSD's socket addresses together with DNS, and nobody here calls it.
#define LWIP_SOCKET 0

// Limits of lwIP's own: pools, which end. With the Address Sanitizer each block is one of the C library's instead, so that it sees what is
// used after it was given back.
#if !__has_feature(address_sanitizer)
#undef MEMP_MEM_MALLOC
#define MEMP_MEM_MALLOC 0
#endif
#define MEMP_NUM_TCP_PCB 16384
#define MEMP_NUM_TCP_PCB_LISTEN 64
#define MEMP_NUM_UDP_PCB 256
#define MEMP_NUM_TCP_SEG 32768
#define MEMP_NUM_PBUF 4096
#define PBUF_POOL_SIZE 1024
#define MEMP_NUM_REASSDATA 32
#define MEMP_NUM_FRAG_PBUF 256
#define IP_REASS_MAX_PBUFS 256
#define MEMP_NUM_ARP_QUEUE 256
#define MEMP_NUM_SYS_TIMEOUT 64

// For the fuzzer: or else hardly any frame would get by its checksum.
#ifdef LWIP_SOURCE_FUZZER
#define CHECKSUM_CHECK_IP 0
#define CHECKSUM_CHECK_UDP 0
#define CHECKSUM_CHECK_TCP 0
#define CHECKSUM_CHECK_ICMP 0
#define CHECKSUM_CHECK_ICMP6 0
#endif
