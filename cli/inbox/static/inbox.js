// Shows new mails without a reload by hand. The page works without it.
const newest = document.currentScript.dataset.newest;
const search = document.querySelector("input[name=q]");
const events = new EventSource(`/events?newest=${encodeURIComponent(newest)}`);
let planned = null;

function refresh() {
  planned = null;
  const typing = document.activeElement === search && search.value !== search.defaultValue;
  if (!typing) location.reload();
}

events.onmessage = () => {
  planned ??= setTimeout(refresh, 700); // a burst of mails is one reload
};
addEventListener("pagehide", () => events.close());
