# Who may use what, written once into the database that every cluster starts from. Names and limits as at the sites that
# Slipway is for: cpu and gpu accounts apart, several for one person, and one person without any.
# shellcheck shell=bash
sacctmgr() { command sacctmgr -i -Q "$@"; }

sacctmgr add cluster testbed
sacctmgr add account def-alice_cpu,def-alice_gpu,rrg-prof_cpu,rrg-prof_gpu,rpp-x,ctb-y Cluster=testbed
sacctmgr add user alice Account=def-alice_cpu,def-alice_gpu,rrg-prof_gpu DefaultAccount=def-alice_cpu Cluster=testbed
sacctmgr add user bob Account=rrg-prof_cpu,rrg-prof_gpu,rpp-x DefaultAccount=rrg-prof_cpu Cluster=testbed
sacctmgr modify user bob where Account=rpp-x set MaxJobs=1
sacctmgr add user carol Account=ctb-y DefaultAccount=ctb-y Cluster=testbed
# A class for short visits: one job at a time, of four cores.
sacctmgr add qos visit MaxJobsPerUser=1 MaxTRESPerUser=cpu=4
sacctmgr modify user carol where Account=ctb-y set QOS=visit DefaultQOS=visit
# dave has a UNIX account and no association.
# slipway asks about everybody's jobs; it may not submit any (sacctmgr knows no person without an account).
sacctmgr add account slipway Cluster=testbed GrpSubmitJobs=0
sacctmgr add user slipway Account=slipway DefaultAccount=slipway Cluster=testbed AdminLevel=Operator
