// What the files of this target share: lwIP's headers, and its accounts.
#pragma once
#include "clwipstack.h"
#include "lwip/opt.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/igmp.h"
#include "lwip/init.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/memp.h"
#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include "lwip/tcpip.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"
#include "netif/ethernet.h"

extern lwip_hooks lwip_hook;
extern lwip_counts lwip_tally;
void lwip_need_tcp_timer(void);
ip_addr_t lwip_to_ip(const lwip_address *);
lwip_address lwip_from_ip(const ip_addr_t *);
// A buffer for what comes in, from beyond the limit if need be.
struct pbuf *lwip_input_buffer(u16_t length);
// The device of an interface.
void *lwip_netif_device(struct netif *);
// Ends what DNS and DHCP are about, so that their control blocks can go.
void lwip_end_services(void);
