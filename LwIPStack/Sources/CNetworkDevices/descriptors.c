// AF_PACKET sockets and TAP descriptors.

#define _GNU_SOURCE
#include "cnetworkdevices.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static int fail(int descriptor) {
  int error = errno;
  if (descriptor >= 0) close(descriptor);
  return -error;
}

static bool name_of(struct ifreq *request, const char *interface) {
  memset(request, 0, sizeof *request);
  if (strlen(interface) >= sizeof request->ifr_name) return false;
  strcpy(request->ifr_name, interface);
  return true;
}

int netdev_packet_open(const char *interface, uint8_t mac[6], uint32_t *mtu) {
  struct ifreq request;
  if (!name_of(&request, interface)) return -ENODEV;
  int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -errno;
  if (ioctl(descriptor, SIOCGIFHWADDR, &request) < 0) return fail(descriptor);
  memcpy(mac, request.ifr_hwaddr.sa_data, 6);
  if (ioctl(descriptor, SIOCGIFMTU, &request) < 0) return fail(descriptor);
  *mtu = (uint32_t)request.ifr_mtu;
  if (ioctl(descriptor, SIOCGIFINDEX, &request) < 0) return fail(descriptor);
  int on = 1, size = 4 << 20;
  // Or we would hear ourselves.
  if (setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0) return fail(descriptor);
  // As large as is allowed; the default holds few frames.
  if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
    (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = request.ifr_ifindex};
  if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) return fail(descriptor);
  return descriptor;
}

int netdev_tap_open(const char *interface, uint32_t *mtu) {
  struct ifreq request;
  if (!name_of(&request, interface)) return -ENODEV;
  int descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return -errno;
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(descriptor, TUNSETIFF, &request) < 0) return fail(descriptor);
  *mtu = 1500;
  int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control >= 0) {
    if (ioctl(control, SIOCGIFMTU, &request) == 0) *mtu = (uint32_t)request.ifr_mtu;
    close(control);
  }
  return descriptor;
}

enum { most = 64 };

int netdev_packet_receive(int descriptor, netdev_slot *slots, int count) {
  struct mmsghdr messages[most];
  struct iovec vectors[most];
  if (count > most) count = most;
  for (int index = 0; index < count; index++) {
    vectors[index] = (struct iovec){slots[index].bytes, slots[index].length};
    messages[index] = (struct mmsghdr){.msg_hdr = {.msg_iov = &vectors[index], .msg_iovlen = 1}};
  }
  int got = recvmmsg(descriptor, messages, (unsigned)count, MSG_DONTWAIT, NULL);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  for (int index = 0; index < got; index++)
    // A frame that was cut (an offload is on) is none: length 0.
    slots[index].length = messages[index].msg_hdr.msg_flags & MSG_TRUNC ? 0 : messages[index].msg_len;
  return got;
}

int netdev_packet_send(int descriptor, const netdev_slot *slots, int count) {
  struct mmsghdr messages[most];
  struct iovec vectors[most];
  if (count > most) count = most;
  for (int index = 0; index < count; index++) {
    vectors[index] = (struct iovec){slots[index].bytes, slots[index].length};
    messages[index] = (struct mmsghdr){.msg_hdr = {.msg_iov = &vectors[index], .msg_iovlen = 1}};
  }
  int sent = sendmmsg(descriptor, messages, (unsigned)count, MSG_DONTWAIT);
  return sent < 0 ? -errno : sent;
}

ssize_t netdev_tap_receive(int descriptor, void *bytes, uint32_t length) {
  ssize_t got = read(descriptor, bytes, length);
  if (got >= 0) return got;
  return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}
