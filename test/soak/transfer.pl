# transfer.pl PORT WORD MEBIBYTES: one transfer with the bulk service; prints how it ended. Not in Node, whose own sockets
# take a reset for an end when it comes right behind data (libuv, POLLHUP after a partial read).
use strict; use Socket; use Errno;
my ($port, $word, $mebibytes) = @ARGV;
my $whole = $mebibytes << 20;
my $block = "0123456789abcdef" x 65536;
$SIG{PIPE} = 'IGNORE';
$SIG{ALRM} = sub { print "nothing moves"; exit };
alarm 30;
sub ended { print $!{ECONNRESET} || $!{EPIPE} ? "reset" : "error $!"; exit }
socket(S, PF_INET, SOCK_STREAM, 0);
connect(S, sockaddr_in($port, INADDR_LOOPBACK)) or ended();
if ($word eq "DOWN") {
  syswrite(S, "DOWN$mebibytes") or ended();
  my ($size, $data) = (0);
  while (1) {
    my $count = sysread(S, $data, 1 << 17);
    defined $count or ended();
    last if $count == 0;
    $size += $count;
  }
  print $size == $whole ? "whole" : "a clean end after $size bytes";
} else {
  syswrite(S, "TAKE") or ended();
  for (1 .. $mebibytes) {
    my $sent = 0;
    $sent += syswrite(S, $block, length($block) - $sent, $sent) || ended() while $sent < length $block;
  }
  shutdown(S, 1);
  my $answer = "";
  while (1) {
    my $count = sysread(S, $answer, 100, length $answer);
    defined $count or ended();
    last if $count == 0;
  }
  print $answer eq $whole ? "whole" : "a clean end after '$answer'";
}
