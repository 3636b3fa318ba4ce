using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace ShopSample.Pages;

internal sealed class IndexModel : PageModel
{
    public IActionResult OnPostAdd(string? productId)
    {
        if (Catalogue.Find(productId) is not { } product)
        {
            return NotFound();
        }

        HttpContext.Session.ChangeBasket(b => b.Add(product, 1));
        TempData["Notice"] = $"{product.Name} is in your basket.";
        return RedirectToPage(pageName: null, pageHandler: null, routeValues: null, fragment: product.Id);
    }
}
