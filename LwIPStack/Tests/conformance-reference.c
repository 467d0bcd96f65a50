// lwIP as its authors mean it: its own thread for timers, its own core lock, and a thread that reads a raw socket and calls ethernet_input under that
// lock. The application is that of `softint-net conform`. conformance-reference INTERFACE ADDRESS MASK ADDRESS6

#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/tcp.h"
#include "lwip/tcpip.h"
#include "lwip/udp.h"
#include "netif/ethernet.h"
#include "cnetworkdevices.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static netdev_packet device;
static struct netif netif;

static err_t send_frame(struct netif *at, struct pbuf *buffer) {
  (void)at;
  uint8_t frame[2048];
  netdev_slot slot = {frame, buffer->tot_len};
  pbuf_copy_partial(buffer, frame, buffer->tot_len, 0);
  return netdev_packet_send(device.descriptor, &slot, 1) == 1 ? ERR_OK : ERR_BUF;
}
static err_t initialise(struct netif *at) {
  at->hwaddr_len = 6;
  memcpy(at->hwaddr, device.mac, 6);
  at->mtu = at->mtu6 = (u16_t)device.mtu;
  at->output = etharp_output;
  at->output_ip6 = ethip6_output;
  at->linkoutput = send_frame;
  at->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
  return ERR_OK;
}

static err_t echo(void *argument, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error) {
  (void)argument, (void)error;
  if (buffer == NULL) {
    tcp_recv(pcb, NULL);
    tcp_close(pcb);
    return ERR_OK;
  }
  for (struct pbuf *at = buffer; at != NULL; at = at->next) {
    tcp_recved(pcb, at->len);
    tcp_write(pcb, at->payload, at->len < tcp_sndbuf(pcb) ? at->len : tcp_sndbuf(pcb), TCP_WRITE_FLAG_COPY);
  }
  pbuf_free(buffer);
  return ERR_OK;
}
static err_t accept_echo(void *argument, struct tcp_pcb *pcb, err_t error) {
  (void)argument, (void)error;
  tcp_recv(pcb, echo);
  return ERR_OK;
}
static err_t keep(void *argument, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error) {
  (void)argument, (void)pcb, (void)error;
  if (buffer != NULL) pbuf_free(buffer);  // and the window is not told
  return ERR_OK;
}
static err_t accept_keep(void *argument, struct tcp_pcb *pcb, err_t error) {
  (void)argument, (void)error;
  tcp_recv(pcb, keep);
  return ERR_OK;
}
static err_t drop(void *argument, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error) {
  (void)argument, (void)error;
  if (buffer != NULL) {
    tcp_recved(pcb, buffer->tot_len);
    pbuf_free(buffer);
  }
  return ERR_OK;
}
static err_t close_at_once(void *argument, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error) {
  drop(argument, pcb, buffer, error);
  if (buffer == NULL) return ERR_OK;
  tcp_recv(pcb, drop);
  tcp_close(pcb);
  return ERR_OK;
}
static err_t accept_close(void *argument, struct tcp_pcb *pcb, err_t error) {
  (void)argument, (void)error;
  tcp_recv(pcb, close_at_once);
  return ERR_OK;
}
static void on_echo(void *argument, struct udp_pcb *pcb, struct pbuf *buffer, const ip_addr_t *from, u16_t port) {
  (void)argument;
  struct pbuf *copy = pbuf_alloc(PBUF_TRANSPORT, buffer->tot_len, PBUF_RAM);
  pbuf_copy(copy, buffer);
  udp_sendto(pcb, copy, from, port);
  pbuf_free(copy);
  pbuf_free(buffer);
}
static err_t connected(void *argument, struct tcp_pcb *pcb, err_t error) {
  (void)argument, (void)pcb, (void)error;
  return ERR_OK;
}
static void on_connect(void *argument, struct udp_pcb *pcb, struct pbuf *buffer, const ip_addr_t *from, u16_t port) {
  (void)argument, (void)pcb, (void)port;
  uint8_t bytes[2];
  if (buffer->tot_len == 2 && pbuf_copy_partial(buffer, bytes, 2, 0) == 2) {
    struct tcp_pcb *made = tcp_new_ip_type(IP_GET_TYPE(from));
    tcp_recv(made, echo);
    tcp_connect(made, from, (u16_t)(bytes[0] << 8 | bytes[1]), connected);
  }
  pbuf_free(buffer);
}

static void listen_on(u16_t port, tcp_accept_fn accept) {
  struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
  tcp_bind(pcb, IP_ANY_TYPE, port);
  tcp_accept(tcp_listen_with_backlog(pcb, 128), accept);
}
static void receive_on(u16_t port, udp_recv_fn receive) {
  struct udp_pcb *pcb = udp_new_ip_type(IPADDR_TYPE_ANY);
  udp_bind(pcb, IP_ANY_TYPE, port);
  udp_recv(pcb, receive, NULL);
}

int main(int count, char **arguments) {
  ip4_addr_t address, mask, none = {0};
  ip6_addr_t address6;
  if (count != 5 || !ip4addr_aton(arguments[2], &address) || !ip4addr_aton(arguments[3], &mask) || !ip6addr_aton(arguments[4], &address6))
    return 64;
  if (netdev_packet_open(&device, arguments[1]) < 0) return 71;
  tcpip_init(NULL, NULL);
  LOCK_TCPIP_CORE();
  netif_add(&netif, &address, &mask, &none, NULL, initialise, ethernet_input);
  netif_set_default(&netif);
  netif_set_up(&netif);
  netif_set_link_up(&netif);
  s8_t index;
  netif_create_ip6_linklocal_address(&netif, 1);
  netif_ip6_addr_set_state(&netif, 0, IP6_ADDR_PREFERRED);
  netif_add_ip6_address(&netif, &address6, &index);
  netif_ip6_addr_set_state(&netif, index, IP6_ADDR_PREFERRED);
  listen_on(7, accept_echo);
  listen_on(9, accept_keep);
  listen_on(13, accept_close);
  receive_on(7, on_echo);
  receive_on(9, on_connect);
  UNLOCK_TCPIP_CORE();
  printf("listening\n");
  fflush(stdout);
  static uint8_t frame[65536];
  for (;;) {
    struct pollfd ready = {device.descriptor, POLLIN, 0};
    if (poll(&ready, 1, -1) < 0) continue;
    netdev_slot slot = {frame, sizeof frame};
    if (netdev_packet_receive(&device, &slot, 1) != 1 || slot.length == 0) continue;
    // As long as on a wire, as our own device's input does.
    u16_t whole = slot.length < 60 ? 60 : (u16_t)slot.length;
    memset(frame + slot.length, 0, whole - slot.length);
    LOCK_TCPIP_CORE();
    struct pbuf *buffer = pbuf_alloc(PBUF_RAW, whole, PBUF_RAM);
    if (buffer != NULL) {
      pbuf_take(buffer, frame, whole);
      if (netif.input(buffer, &netif) != ERR_OK) pbuf_free(buffer);
    }
    UNLOCK_TCPIP_CORE();
  }
}
