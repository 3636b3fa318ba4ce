using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace ShopSample.Pages;

/// <summary>Re-executed for every failed page, with the failed request's method and status; so without handlers, session and antiforgery token.</summary>
[IgnoreAntiforgeryToken]
[ResponseCache(NoStore = true)]
internal sealed class ErrorModel : PageModel
{
    public string Heading => Words.Heading;

    public string Text => Words.Text;

    private (string Heading, string Text) Words => Response.StatusCode switch
    {
        400 => ("That page had grown old", "It was open for so long that its form is no longer valid. Please reload it and try again."),
        409 => ("Somebody was faster", "Your session has changed or ended meanwhile, perhaps in another tab. Please look again."),
        503 => ("One moment, please", "The shop cannot reach your session just now. Nothing is lost; please try again in a few seconds."),
        >= 500 => ("That went wrong", "The fault is ours, and it has been noted. Please try again."),
        _ => ("There is nothing here", "The page may have moved, or the link may have lost a letter."),
    };
}
