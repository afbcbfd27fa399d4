-- What sites do with such scripts, for clusters with JobSubmitPlugins=lua: they refuse, and they rewrite.
function slurm_job_submit(job, partitions, uid)
  if job.account == "rpp-x" then
    slurm.log_user("rpp-x is closed this week")
    return slurm.ERROR
  end
  if job.account == "rrg-prof_cpu" and job.time_limit > 60 then
    job.time_limit = 60
    slurm.log_user("the time limit is one hour for rrg-prof_cpu")
  end
  return slurm.SUCCESS
end

function slurm_job_modify(job, old, partitions, uid)
  return slurm.SUCCESS
end
