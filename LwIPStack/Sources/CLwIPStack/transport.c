// TCP and UDP of lwIP's raw interface.
//
// Law: a control block has an owner until its owner closes or aborts it, or its `failed` hook was called; never after. A reset inside a
// hook of the same connection is made when the hook has returned, and lwIP is told so, as its interface demands.

#include "internal.h"
#include <string.h>

// Under the guard: the connection of which a hook is being called, and whether it is to be reset afterwards.
static struct tcp_pcb *in_hook;
static bool is_abort_wanted;
// In `received`: how many bytes of the same arrival have not been handed over yet.
static uint32_t unseen;

#define PCB(connection) ((struct tcp_pcb *)(connection))

// Calls a hook of a connection; returns what lwIP is to be told.
#define HOOK(pcb, call)                        \
  struct tcp_pcb *outer = in_hook;             \
  bool outer_wanted = is_abort_wanted;         \
  in_hook = (pcb);                             \
  is_abort_wanted = false;                     \
  call;                                        \
  bool aborts = is_abort_wanted;               \
  in_hook = outer;                             \
  is_abort_wanted = outer_wanted;              \
  if (aborts) {                                \
    tcp_abort(pcb);                            \
    return ERR_ABRT;                           \
  }                                            \
  return ERR_OK

static err_t on_received(void *owner, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error) {
  (void)error;
  if (owner == NULL) {
    // Closed by its owner: what still comes is dropped, as lwIP does itself without a callback.
    if (buffer != NULL) {
      tcp_recved(pcb, buffer->tot_len);
      pbuf_free(buffer);
    }
    return ERR_OK;
  }
  if (buffer == NULL) {
    HOOK(pcb, lwip_hook.ended(owner));
  }
  HOOK(pcb, {
    // The owner may close in between; then it hears no more.
    unseen = buffer->tot_len;
    for (struct pbuf *at = buffer; at != NULL && pcb->callback_arg == owner && !is_abort_wanted; at = at->next) {
      unseen -= at->len;
      lwip_hook.received(owner, at->payload, at->len);
    }
    unseen = 0;
    pbuf_free(buffer);
    if (!is_abort_wanted && pcb->callback_arg == owner) lwip_hook.arrived(owner);
  });
}
static err_t on_sent(void *owner, struct tcp_pcb *pcb, u16_t length) {
  if (owner == NULL) return ERR_OK;
  HOOK(pcb, lwip_hook.sent(owner, length));
}
static err_t on_poll(void *owner, struct tcp_pcb *pcb) {
  if (owner == NULL) return ERR_OK;
  HOOK(pcb, lwip_hook.polled(owner));
}
static void on_error(void *owner, err_t error) {
  if (owner != NULL) lwip_hook.failed(owner, error);
}
static err_t on_connected(void *owner, struct tcp_pcb *pcb, err_t error) {
  (void)error;  // always ERR_OK, its documentation says
  if (owner == NULL) return ERR_OK;
  HOOK(pcb, lwip_hook.connected(owner));
}

static void own(struct tcp_pcb *pcb, void *owner) {
  tcp_arg(pcb, owner);
  tcp_recv(pcb, on_received);
  tcp_sent(pcb, on_sent);
  tcp_err(pcb, on_error);
  // Every second: lwIP counts in half seconds.
  tcp_poll(pcb, on_poll, 2);
}
static void disown(struct tcp_pcb *pcb) {
  tcp_arg(pcb, NULL);
  tcp_sent(pcb, NULL);
  tcp_err(pcb, NULL);
  tcp_poll(pcb, NULL, 0);
}

static err_t on_accept(void *listener, struct tcp_pcb *pcb, err_t error) {
  if (pcb == NULL || error != ERR_OK || listener == NULL) return ERR_VAL;
  // Owned before anybody is told: so closing it at once is as closing it later, and its FIN goes out at the end of this input.
  void *owner = lwip_hook.adopt(listener, (lwip_tcp *)pcb);
  if (owner == NULL) return ERR_MEM;
  own(pcb, owner);
  HOOK(pcb, lwip_hook.accept(listener, owner));
}

lwip_tcp *lwip_tcp_listen(const lwip_address *address, uint16_t port, int backlog, void *listener, int *error) {
  struct tcp_pcb *pcb = tcp_new_ip_type(address == NULL ? IPADDR_TYPE_ANY : address->is_v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
  *error = ERR_MEM;
  if (pcb == NULL) return NULL;
  // A server that comes back does not wait for its old connections' TIME_WAIT.
  ip_set_option(pcb, SOF_REUSEADDR);
  ip_addr_t ip = address == NULL ? *IP_ANY_TYPE : lwip_to_ip(address);
  err_t result = tcp_bind(pcb, &ip, port);
  if (result != ERR_OK) {
    tcp_abort(pcb);
    *error = result;
    return NULL;
  }
  struct tcp_pcb *listening = tcp_listen_with_backlog_and_err(pcb, (u8_t)(backlog > 255 ? 255 : backlog), &result);
  *error = result;
  if (listening == NULL) {
    tcp_abort(pcb);
    return NULL;
  }
  tcp_arg(listening, listener);
  tcp_accept(listening, on_accept);
  return (lwip_tcp *)listening;
}
void lwip_tcp_close_listener(lwip_tcp *listener) { (void)tcp_close(PCB(listener)); }

lwip_tcp *lwip_tcp_connect(const lwip_address *address, uint16_t port, void *owner, int *error) {
  struct tcp_pcb *pcb = tcp_new_ip_type(address->is_v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
  *error = ERR_MEM;
  if (pcb == NULL) return NULL;
  own(pcb, owner);
  ip_addr_t ip = lwip_to_ip(address);
  err_t result = tcp_connect(pcb, &ip, port, on_connected);
  *error = result;
  if (result == ERR_OK) return (lwip_tcp *)pcb;
  disown(pcb);
  tcp_abort(pcb);
  return NULL;
}

// With timestamps a segment has 12 bytes of options, and lwIP makes segments as small as the other end asks for (its MSS, half of the widest window
// that it ever offered), but for 11 (tcp_write, tcp_out.c): it would write beyond its buffer. Then nothing is taken, unless the window gets wider.
static bool has_room_for_options(const struct tcp_pcb *pcb) {
#if LWIP_TCP_TIMESTAMPS
  u16_t half = TCPWND_MIN16(pcb->snd_wnd_max / 2);
  u16_t segment = half != 0 && half < pcb->mss ? half : pcb->mss;
  return !(pcb->flags & TF_TIMESTAMP) || segment > LWIP_TCP_OPT_LEN_TS_OUT;
#else
  (void)pcb;
  return true;
#endif
}

uint32_t lwip_tcp_room(lwip_tcp *connection) {
  if (!has_room_for_options(PCB(connection))) return 0;
  // Half the queue of segments is kept for what a write of that size needs.
  return tcp_sndqueuelen(PCB(connection)) < TCP_SND_QUEUELEN / 2 ? tcp_sndbuf(PCB(connection)) : 0;
}
int lwip_tcp_write(lwip_tcp *connection, const void *bytes, uint32_t length, bool more) {
  if (length > UINT16_MAX) return ERR_VAL;
  if (!has_room_for_options(PCB(connection))) return ERR_MEM;
  return tcp_write(PCB(connection), bytes, (u16_t)length, TCP_WRITE_FLAG_COPY | (more ? TCP_WRITE_FLAG_MORE : 0));
}
int lwip_tcp_output(lwip_tcp *connection) {
  // lwIP sends by itself at the end of the input that called the hook.
  return PCB(connection) == in_hook ? ERR_OK : tcp_output(PCB(connection));
}
void lwip_tcp_taken(lwip_tcp *connection, uint32_t length) {
  while (length > 0) {
    u16_t part = length > UINT16_MAX ? UINT16_MAX : (u16_t)length;
    tcp_recved(PCB(connection), part);
    length -= part;
  }
}
int lwip_tcp_close(lwip_tcp *connection) {
  struct tcp_pcb *pcb = PCB(connection);
  void *owner = pcb->callback_arg;
  disown(pcb);
  // Who closes has seen enough of this arrival; bytes that are not taken would make lwIP send a reset for a FIN.
  if (pcb == in_hook) lwip_tcp_taken(connection, unseen);
  err_t result = tcp_close(pcb);
  if (result != ERR_OK) own(pcb, owner);
  return result;
}
int lwip_tcp_shutdown_send(lwip_tcp *connection) { return tcp_shutdown(PCB(connection), 0, 1); }
void lwip_tcp_abort(lwip_tcp *connection) {
  struct tcp_pcb *pcb = PCB(connection);
  disown(pcb);
  if (pcb == in_hook)
    is_abort_wanted = true;
  else
    tcp_abort(pcb);
}
void lwip_tcp_no_delay(lwip_tcp *connection, bool on) {
  if (on)
    tcp_nagle_disable(PCB(connection));
  else
    tcp_nagle_enable(PCB(connection));
}
void lwip_tcp_keepalive(lwip_tcp *connection, uint32_t milliseconds) {
  ip_set_option(PCB(connection), SOF_KEEPALIVE);
  PCB(connection)->keep_idle = milliseconds;
}
void lwip_tcp_peer(lwip_tcp *connection, lwip_address *address, uint16_t *port) {
  *address = lwip_from_ip(&PCB(connection)->remote_ip);
  *port = PCB(connection)->remote_port;
}
uint16_t lwip_tcp_local_port(lwip_tcp *connection) { return PCB(connection)->local_port; }

// MARK: UDP

// Under the guard: where the pieces of a datagram are put together.
static uint8_t datagram[UINT16_MAX];

static void on_datagram(void *owner, struct udp_pcb *pcb, struct pbuf *buffer, const ip_addr_t *from, u16_t port) {
  (void)pcb;
  lwip_address address = lwip_from_ip(from);
  const uint8_t *bytes = buffer->payload;
  uint32_t length = buffer->tot_len;
  if (buffer->next != NULL) {
    pbuf_copy_partial(buffer, datagram, buffer->tot_len, 0);
    bytes = datagram;
  }
  lwip_hook.datagram(owner, bytes, length, &address, port);
  pbuf_free(buffer);
}

lwip_udp *lwip_udp_bind(const lwip_address *address, uint16_t port, void *owner, int *error) {
  struct udp_pcb *pcb = udp_new_ip_type(address == NULL ? IPADDR_TYPE_ANY : address->is_v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
  *error = ERR_MEM;
  if (pcb == NULL) return NULL;
  ip_addr_t ip = address == NULL ? *IP_ANY_TYPE : lwip_to_ip(address);
  err_t result = udp_bind(pcb, &ip, port);
  *error = result;
  if (result != ERR_OK) {
    udp_remove(pcb);
    return NULL;
  }
  udp_recv(pcb, on_datagram, owner);
  return (lwip_udp *)pcb;
}
uint16_t lwip_udp_local_port(lwip_udp *endpoint) { return ((struct udp_pcb *)endpoint)->local_port; }
int lwip_udp_send(lwip_udp *endpoint, const void *bytes, uint32_t length, const lwip_address *address, uint16_t port) {
  if (length > UINT16_MAX - 8 - 40) return ERR_VAL;
  struct pbuf *buffer = pbuf_alloc(PBUF_TRANSPORT, (u16_t)length, PBUF_RAM);
  if (buffer == NULL) return ERR_MEM;
  pbuf_take(buffer, bytes, (u16_t)length);
  ip_addr_t ip = lwip_to_ip(address);
  err_t result = udp_sendto((struct udp_pcb *)endpoint, buffer, &ip, port);
  pbuf_free(buffer);
  return result;
}
void lwip_udp_close(lwip_udp *endpoint) { udp_remove((struct udp_pcb *)endpoint); }
