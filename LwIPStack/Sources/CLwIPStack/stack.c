// The stack's life, its timers and its interfaces.
//
// Law: under the guard, as all of lwIP. A cyclic timer is either waiting or not needed: lwIP's own one for TCP rests while there
// is no connection.

#include "internal.h"
#if LWIP_DHCP
#include "lwip/dhcp.h"
#endif
#if LWIP_DNS
#include "lwip/dns.h"
#endif
#include <stdlib.h>
#include <string.h>

static bool is_tcp_timer_active;

void lwip_need_tcp_timer(void) {
  if (is_tcp_timer_active || (tcp_active_pcbs == NULL && tcp_tw_pcbs == NULL)) return;
  is_tcp_timer_active = true;
  lwip_hook.start_timer(lwip_hook.stack, 0, lwip_cyclic_timers[0].interval_ms);
}

void lwip_start(void) {
  lwip_init();
  is_tcp_timer_active = false;
  // The first one is TCP's, which starts when it is needed.
  for (int index = 1; index < lwip_num_cyclic_timers; index++)
    lwip_hook.start_timer(lwip_hook.stack, index, lwip_cyclic_timers[index].interval_ms);
  lwip_need_tcp_timer();
}

int lwip_timer_count(void) { return lwip_num_cyclic_timers; }

const char *lwip_timer_name(int index) {
  lwip_cyclic_timer_handler handler = lwip_cyclic_timers[index].handler;
  if (handler == tcp_tmr) return "tcp_tmr";
  if (handler == ip_reass_tmr) return "ip_reass_tmr";
  if (handler == etharp_tmr) return "etharp_tmr";
  if (handler == igmp_tmr) return "igmp_tmr";
  if (handler == nd6_tmr) return "nd6_tmr";
  if (handler == ip6_reass_tmr) return "ip6_reass_tmr";
  if (handler == mld6_tmr) return "mld6_tmr";
#if LWIP_DHCP
  if (handler == dhcp_coarse_tmr) return "dhcp_coarse_tmr";
  if (handler == dhcp_fine_tmr) return "dhcp_fine_tmr";
#endif
#if LWIP_DNS
  if (handler == dns_tmr) return "dns_tmr";
#endif
  return "lwip_tmr";
}

uint32_t lwip_timer_run(int index) {
  lwip_cyclic_timers[index].handler();
  if (index == 0) {
    is_tcp_timer_active = tcp_active_pcbs != NULL || tcp_tw_pcbs != NULL;
    if (!is_tcp_timer_active) return 0;
  }
  return lwip_cyclic_timers[index].interval_ms;
}

int lwip_abort_all(void) {
  int count = 0;
  lwip_end_services();
  // Each call takes the block at the head out of its list.
  for (; tcp_active_pcbs != NULL; count++) tcp_abort(tcp_active_pcbs);
  for (; tcp_tw_pcbs != NULL; count++) tcp_abort(tcp_tw_pcbs);
  for (; tcp_bound_pcbs != NULL; count++) tcp_abort(tcp_bound_pcbs);
  for (; tcp_listen_pcbs.listen_pcbs != NULL; count++) tcp_close(tcp_listen_pcbs.pcbs);
  for (; udp_pcbs != NULL; count++) udp_remove(udp_pcbs);
  return count;
}

// MARK: Addresses

ip_addr_t lwip_to_ip(const lwip_address *address) {
  ip_addr_t ip = {0};
  if (address->is_v6) {
    u32_t words[4];
    memcpy(words, address->bytes, 16);
    IP_ADDR6(&ip, words[0], words[1], words[2], words[3]);
    if (address->zone != 0) ip6_addr_set_zone(ip_2_ip6(&ip), address->zone);
  } else {
    u32_t word;
    memcpy(&word, address->bytes, 4);
    ip_addr_set_ip4_u32(&ip, word);
  }
  return ip;
}

lwip_address lwip_from_ip(const ip_addr_t *ip) {
  lwip_address address = {0};
  address.is_v6 = IP_IS_V6(ip);
  if (address.is_v6) {
    memcpy(address.bytes, ip_2_ip6(ip)->addr, 16);
    address.zone = ip6_addr_zone(ip_2_ip6(ip));
  } else {
    memcpy(address.bytes, &ip_2_ip4(ip)->addr, 4);
  }
  return address;
}

// MARK: Interfaces

struct lwip_netif {
  struct netif netif;
  void *device;
};

void *lwip_netif_device(struct netif *netif) { return ((lwip_netif *)netif)->device; }

static err_t send_frame(struct netif *netif, struct pbuf *buffer) {
  void *device = ((lwip_netif *)netif)->device;
  // Copied, so that the device needs none of lwIP's buffers and none of its lock.
  void *space = lwip_hook.frame_space(device, buffer->tot_len);
  if (space == NULL) return ERR_BUF;
  pbuf_copy_partial(buffer, space, buffer->tot_len, 0);
  lwip_hook.frame_ready(device, buffer->tot_len);
  return ERR_OK;
}

static err_t initialise(struct netif *netif) {
  netif->name[0] = 's';
  netif->name[1] = 'n';
  netif->hwaddr_len = 6;
  netif->output = etharp_output;
  netif->output_ip6 = ethip6_output;
  netif->linkoutput = send_frame;
  netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
  return ERR_OK;
}

lwip_netif *lwip_netif_add(void *device, const uint8_t mac[6], uint16_t mtu) {
  lwip_netif *made = calloc(1, sizeof *made);
  if (made == NULL) return NULL;
  made->device = device;
  memcpy(made->netif.hwaddr, mac, 6);
  if (netif_add(&made->netif, NULL, NULL, NULL, NULL, initialise, ethernet_input) == NULL) {
    free(made);
    return NULL;
  }
  // netif_add clears what was set before it.
  memcpy(made->netif.hwaddr, mac, 6);
  made->netif.mtu = made->netif.mtu6 = mtu;
  netif_set_default(&made->netif);
  return made;
}

bool lwip_netif_set_ipv4(lwip_netif *at, const uint8_t address[4], const uint8_t mask[4], const uint8_t gateway[4]) {
  ip4_addr_t a, m, g;
  memcpy(&a.addr, address, 4);
  memcpy(&m.addr, mask, 4);
  memcpy(&g.addr, gateway, 4);
  netif_set_addr(&at->netif, &a, &m, &g);
  return true;
}
bool lwip_netif_add_ipv6(lwip_netif *at, const uint8_t address[16]) {
  ip6_addr_t ip = {0};
  memcpy(ip.addr, address, 16);
  ip6_addr_assign_zone(&ip, IP6_UNICAST, &at->netif);
  s8_t index = -1;
  if (netif_add_ip6_address(&at->netif, &ip, &index) != ERR_OK || index < 0) return false;
  netif_ip6_addr_set_state(&at->netif, index, IP6_ADDR_PREFERRED);
  return true;
}
void lwip_netif_link_local(lwip_netif *at) {
  netif_create_ip6_linklocal_address(&at->netif, 1);
  netif_ip6_addr_set_state(&at->netif, 0, IP6_ADDR_PREFERRED);
}
void lwip_netif_up(lwip_netif *at, bool up) { up ? netif_set_up(&at->netif) : netif_set_down(&at->netif); }
void lwip_netif_link(lwip_netif *at, bool up) { up ? netif_set_link_up(&at->netif) : netif_set_link_down(&at->netif); }

// The shortest frame without its checksum.
enum { ETHERNET_LEAST = 60 };

bool lwip_netif_input(lwip_netif *at, const uint8_t *bytes, uint32_t length) {
  if (length > UINT16_MAX) return false;
  // As long as on a wire, which pads: lwIP reads ARP as if it were whole, and a device that is no wire may bring less (the fuzzer of frames
  // found it to read behind the buffer).
  u16_t whole = length < ETHERNET_LEAST ? ETHERNET_LEAST : (u16_t)length;
  struct pbuf *buffer = lwip_input_buffer(whole);
  if (buffer == NULL) return false;
  memcpy(buffer->payload, bytes, length);
  memset((uint8_t *)buffer->payload + length, 0, whole - length);
  if (at->netif.input(buffer, &at->netif) != ERR_OK) pbuf_free(buffer);
  return true;
}
void lwip_netif_remove(lwip_netif *at) {
  lwip_dhcp_stop(at);
  netif_remove(&at->netif);
  free(at);
}
