/* server - placeholder. */
#ifndef AFTP_SERVER_H
#define AFTP_SERVER_H
#endif
