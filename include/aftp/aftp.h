/* aftp - every public header of libaftp. */
#ifndef AFTP_AFTP_H
#define AFTP_AFTP_H

#include <aftp/client.h>
#include <aftp/data.h>
#include <aftp/entry.h>
#include <aftp/log.h>
#include <aftp/reply.h>
#include <aftp/server.h>
#include <aftp/session.h>
#include <aftp/status.h>
#include <aftp/stream.h>
#include <aftp/throttle.h>
#include <aftp/tls.h>
#include <aftp/url.h>
#include <aftp/vfs.h>

#endif
